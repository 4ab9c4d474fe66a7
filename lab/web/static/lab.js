// What every page needs: language, theme, token, requests, texts in both languages.
'use strict';

const root = document.documentElement;

function recall(key) {
  try { return localStorage.getItem(key); } catch { return null; }
}

function keep(key, value) {
  try { localStorage.setItem(key, value); } catch { /* then it is forgotten */ }
}

// The ladder's style sheet goes by these classes.
function dress() {
  root.classList.add('t0');
  root.classList.toggle('zh', root.lang !== 'en');
  for (const theme of ['light', 'dark']) root.classList.toggle(theme, root.dataset.theme === theme);
}

function speak(language) {
  root.lang = language === 'zh' ? 'zh-Hans' : 'en';
  dress();
  keep('language', language);
  for (const option of document.querySelectorAll('option[data-en]')) {
    option.textContent = option.dataset[language];
  }
  root.dispatchEvent(new CustomEvent('language', { detail: language }));
}

const spoken = () => (root.lang === 'en' ? 'en' : 'zh');

function paint(theme) {
  root.dataset.theme = theme;
  dress();
  keep('theme', theme);
  root.dispatchEvent(new CustomEvent('theme', { detail: theme }));
}

const painted = () => root.dataset.theme
  || (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');

// The token comes in the address, and stays with this tab only.
const token = (() => {
  const asked = new URLSearchParams(location.search).get('token');
  try {
    if (asked) sessionStorage.setItem('token', asked);
    return asked || sessionStorage.getItem('token') || '';
  } catch { return asked || ''; }
})();

/** A text in both languages; the style sheet shows one. */
function both(text) {
  if (text.en === text.zh) return document.createTextNode(text.en);
  const pair = document.createDocumentFragment();
  for (const [language, words] of [['en', text.en], ['zh-Hans', text.zh]]) {
    const span = document.createElement('span');
    span.lang = language;
    span.textContent = words;
    pair.append(span);
  }
  return pair;
}

/** An element: tag, properties, children (strings, nodes, texts in both languages). */
function make(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  for (const child of children.flat()) {
    if (child !== null && child !== undefined) {
      made.append(child instanceof Node || typeof child === 'string' ? child : both(child));
    }
  }
  return made;
}

/** Ask the server to do something; throws an Error whose `lines` say why not. */
async function post(path, body = {}) {
  const answer = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json', 'x-lab-token': token },
    body: JSON.stringify(body),
  });
  const told = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(String(answer.status)), { lines: told.error });
  return told;
}

/** Say texts in an element, a line each. */
function tell(element, lines, kind = '') {
  element.className = `told ${kind}`;
  element.replaceChildren(...lines.map((line) => make('span', { className: 'line' }, line)));
}

root.lang = (recall('language') || navigator.language).startsWith('zh') ? 'zh-Hans' : 'en';
if (recall('theme')) root.dataset.theme = recall('theme');
dress();
addEventListener('DOMContentLoaded', () => {
  speak(spoken());
  document.getElementById('language').onclick = () => speak(spoken() === 'en' ? 'zh' : 'en');
  document.getElementById('theme').onclick = () => paint(painted() === 'dark' ? 'light' : 'dark');
});
