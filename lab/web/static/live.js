// The running run: its exchanges come as server-sent events, each under a key that it keeps.
'use strict';

const by = (id) => document.getElementById(id);
const acts = new Map();
let folder = '';

function begin(event) {
  const told = JSON.parse(event.data);
  folder = told.run;
  acts.clear();
  by('ladder').replaceChildren();
  by('title').textContent = told.scenario;
  for (const id of ['done', 'cut', 'hint']) by(id).hidden = true;
}

function element(html) {
  const holder = document.createElement('template');
  holder.innerHTML = html;
  return holder.content.firstElementChild;
}

/** Make an element what its new form is, with as little touched as can be: focus and selection stay. */
function morph(old, made) {
  if (old.isEqualNode(made)) return;
  for (const { name, value } of made.attributes) {
    if (name !== 'open' && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  if (old.matches('ol.rows')) return; // its rows come apart
  const [before, after] = [[...old.children], [...made.children]];
  const list = made.querySelector('ol.rows');
  if (list && before.length === after.length) before.forEach((one, n) => morph(one, after[n]));
  else if (old.innerHTML !== made.innerHTML) {
    list?.append(...old.querySelector('ol.rows').children);
    old.replaceChildren(...made.childNodes);
  }
}

/** Rows keep their ids: those that have changed are changed where they stand, others come in between. */
function reconcile(list, rows) {
  const known = new Map([...list.children].map((row) => [row.id, row]));
  const ids = new Set(rows.map(([id]) => id));
  for (const [id, row] of known) if (!ids.has(id)) row.remove();
  let at = list.firstElementChild;
  for (const [id, html] of rows) {
    const was = known.get(id);
    const made = html && element(html);
    if (was && made) morph(was, made);
    else if (made) made.classList.add('fresh');
    if (was === at && at) at = at.nextElementSibling;
    else list.insertBefore(was || made, at);
  }
}

/** An exchange; what of it is "" has not changed. */
function put([key, before, html, rows]) {
  const made = html && element(html);
  const [old, previous] = [acts.get(key), acts.get(before)];
  if (old && made) morph(old, made);
  else if (made) {
    acts.set(key, made);
    if (previous) previous.after(made);
    else by('ladder').prepend(made);
  }
  reconcile(acts.get(key).querySelector('ol.rows'), rows);
}

function change(event) {
  const { put: altered, gone } = JSON.parse(event.data);
  const end = innerHeight + scrollY >= document.body.scrollHeight - 80;
  for (const key of gone) {
    acts.get(key)?.remove();
    acts.delete(key);
  }
  altered.forEach(put);
  if (end) scrollTo(0, document.body.scrollHeight);
}

function fill(id, frames) {
  const said = by(id).cloneNode(true);
  for (const span of said.querySelectorAll('span')) {
    span.textContent = span.textContent.replace('{frames}', frames);
  }
  said.removeAttribute('id');
  return said;
}

function state(event) {
  const now = JSON.parse(event.data);
  const kind = now.over ? (now.published ? 'w-over' : 'w-abandoned') : 'w-on';
  by('state').replaceChildren(fill(kind, now.frames));
  by('cut').hidden = !now.cut;
  by('done').hidden = !now.published;
  if (now.published) by('report').href = `/runs/${encodeURIComponent(now.published)}`;
}

function playing(event) {
  const now = JSON.parse(event.data);
  if (!now.on && !now.error.length) by('playing').replaceChildren();
  else tell(by('playing'), now.error.length ? now.error : now.said, now.error.length ? 'wrong' : '');
}

const stream = new EventSource('/events');
stream.addEventListener('begin', begin);
stream.addEventListener('acts', change);
stream.addEventListener('state', state);
stream.addEventListener('playing', playing);
stream.onerror = () => { if (!by('done').offsetParent) by('state').replaceChildren(fill('w-lost', '')); };
stream.onopen = () => { if (!folder) by('state').replaceChildren(); };
addEventListener('pagehide', () => stream.close());
