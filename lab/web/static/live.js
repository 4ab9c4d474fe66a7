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
  const [before, after] = [[...old.children], [...made.children]];
  if (old.matches('ol.rows')) reconcile(old, after);
  else if (made.querySelector('ol.rows') && before.length === after.length) before.forEach((one, n) => morph(one, after[n]));
  else if (old.innerHTML !== made.innerHTML) old.replaceChildren(...made.childNodes);
}

/** Rows keep their ids: those that are known are changed where they stand, others come in between. */
function reconcile(list, after) {
  const known = new Map([...list.children].map((row) => [row.id, row]));
  const ids = new Set(after.map((row) => row.id));
  for (const [id, row] of known) if (!ids.has(id)) row.remove();
  let at = list.firstElementChild;
  for (const row of after) {
    const was = known.get(row.id);
    if (was) morph(was, row);
    else row.classList.add('fresh');
    if (was === at && at) at = at.nextElementSibling;
    else list.insertBefore(was || row, at);
  }
}

function put([key, html, before]) {
  const made = element(html);
  if (!made) return;
  const [old, previous] = [acts.get(key), acts.get(before)];
  if (old) {
    morph(old, made);
    return;
  }
  acts.set(key, made);
  made.querySelectorAll('li[id]').forEach((row) => row.classList.add('fresh'));
  if (previous) previous.after(made);
  else by('ladder').prepend(made);
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
