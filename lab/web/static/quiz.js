// The quiz: what is asked and graded comes from the server, this draws it and hands answers in.
'use strict';

const by = (id) => document.getElementById(id);
const WORDS = JSON.parse(by('words').textContent);
const plays = Boolean(by('quiz').dataset.plays);
const LONGEST = 4000; // characters of an answer in words
const FEW = 2; // lines of logs that are shown unasked
let field = null; // the evidence field that a chosen frame fills
let opened = {}; // what was asked for last

/** One of the words, with its {places} filled by numbers, names, or texts in both languages. */
function word(name, values = {}) {
  const fill = (language) => WORDS[name][language].replace(/\{(\w+)\}/g, (_, key) => {
    const value = values[key];
    return value && typeof value === 'object' ? value[language] : String(value);
  });
  return { en: fill('en'), zh: fill('zh') };
}

const button = (text, onclick, className = '') => make('button', { type: 'button', className, onclick }, text);
const say = (lines, kind) => tell(by('told'), lines, kind);

/** Do something that may fail; what goes wrong is said, and undefined comes back. */
async function attempt(doing) {
  say([]);
  try {
    return await doing();
  } catch (error) {
    say(error.lines || [word('failed')], 'wrong');
    if (error.message === '404' && opened.question) by('told').append(button(word('again'), () => ask(opened)));
    return undefined;
  }
}

function stage(...children) {
  by('question').replaceChildren(...children);
  by('question').focus();
  by('runs').hidden = true;
  by('runs').replaceChildren();
  by('quiz').classList.add('alone');
  by('progress').hidden = true;
  field = null;
  opened = {};
}

// ------------------------------------------------------------ a question

async function ask(wanted) {
  const asked = await attempt(() => post('/quiz/open', wanted));
  if (!asked) return;
  stage(make('h2', {}, `${asked.id} `, asked.asks), make('p', { className: 'note' }, asked.why));
  opened = { question: asked.id, interview: asked.interview, chain: asked.chain };
  if (asked.interview) speakFirst(asked);
  else predict(asked);
}

/** An interview's answer, against the clock. */
function speakFirst(asked) {
  const box = make('textarea', { rows: 7, id: 'spoken', maxLength: LONGEST });
  box.setAttribute('aria-label', word('spoken')[spoken()]);
  const clock = make('p', { className: 'clock', role: 'timer' });
  const ends = Date.now() + asked.seconds * 1000;
  const tick = () => {
    const left = Math.max(0, Math.ceil((ends - Date.now()) / 1000));
    clock.replaceChildren(both(left ? word('seconds', { seconds: left }) : word('time_over')));
    box.readOnly = left === 0;
    if (left === 0) clearInterval(timer);
  };
  const timer = setInterval(tick, 250);
  const done = button(word('spoke'), async () => {
    clearInterval(timer);
    const found = await attempt(() => post(`/quiz/${asked.sitting}/speak`, { text: box.value }));
    if (!found) return;
    box.readOnly = done.disabled = true;
    clock.remove();
    by('question').append(make('div', {}, words(found, () => null)));
    predict(asked);
  }, 'main');
  by('question').append(make('fieldset', {}, make('legend', {}, word('spoken')), clock, box,
    make('div', { className: 'buttons' }, done)));
  tick();
  box.focus();
}

function radios(name, options) {
  return options.map(([value, text]) => make('label', { className: 'option' },
    make('input', { type: 'radio', name, value }), ' ', text));
}

const chosen = (form, name) => {
  const value = form.elements[name] && form.elements[name].value;
  return value ? Number(value) : null;
};

function predict(asked) {
  const form = make('form');
  const set = make('fieldset', {}, make('legend', {}, asked.guess ? word('prediction') : ''));
  if (asked.guess) {
    set.append(make('p', {}, asked.guess.asks), ...radios('guess', asked.guess.options.map((one, n) => [n, one])),
      make('p', {}, word('sure')), ...radios('confidence', [50, 75, 95].map((one) => [one, `${one} %`])));
  }
  const label = plays ? (asked.guess ? 'run' : 'look') : 'newest';
  set.append(make('div', { className: 'buttons' }, make('button', { className: 'main' }, word(label))));
  form.append(set);
  form.onsubmit = async (event) => {
    event.preventDefault();
    const made = { guess: chosen(form, 'guess'), confidence: chosen(form, 'confidence') };
    set.disabled = true;
    const runs = await attempt(async () => {
      await post(`/quiz/${asked.sitting}/predict`, made);
      say([word('running')]);
      return post(`/quiz/${asked.sitting}/run`);
    });
    if (!runs) set.disabled = false;
    else {
      say([]);
      show(runs);
      evidence(asked, runs);
    }
  };
  by('question').append(form);
  (form.querySelector('input') || form.querySelector('button')).focus();
}

// ------------------------------------------------------------ the runs beside it

function show(runs) {
  const tabs = make('div', { className: 'buttons' });
  const frames = runs.map((one, n) => make('iframe', {
    src: `/runs/${encodeURIComponent(one.run)}`, title: word('ladder', { run: one.scenario })[spoken()], hidden: n > 0,
    onload: (event) => {
      event.target.dataset.loaded = '';
      send(event.target, { language: spoken(), theme: painted() });
      event.target.contentWindow.addEventListener('keydown', back, true);
    },
  }));
  frames.forEach((one, n) => { one.dataset.run = runs[n].run; });
  if (runs.length > 1) {
    tabs.append(...runs.map((one) => Object.assign(button(one.scenario, () => front(one.run)), { value: one.run })));
  }
  by('runs').replaceChildren(tabs, ...frames);
  if (runs.length) front(runs[0].run);
  by('runs').hidden = false;
  by('quiz').classList.remove('alone');
}

const send = (frame, message) => frame.contentWindow.postMessage(message, location.origin);
const loaded = (frame, then) => ('loaded' in frame.dataset ? then() : frame.addEventListener('load', then, { once: true }));
const frames = () => [...by('runs').querySelectorAll('iframe')];

/** Bring a run to the front. */
function front(run) {
  for (const frame of frames()) frame.hidden = frame.dataset.run !== run;
  for (const tab of by('runs').querySelectorAll('button')) tab.setAttribute('aria-pressed', String(tab.value === run));
}

/** From the ladder back to the field that is being filled; the first Escape closes what is open there. */
function back(event) {
  const drawer = event.view.document.getElementById('drawer');
  if (event.key === 'Escape' && field && (!drawer || drawer.hidden)) field.focus();
}

/** Light the frames that prove the answer; the first run that has some is brought to the front. */
function light(lit) {
  const shown = frames().find((frame) => !frame.hidden);
  if (lit.length && !lit.some((one) => shown && one.run === shown.dataset.run)) front(lit[0].run);
  for (const frame of frames()) {
    for (const one of lit.filter((some) => some.run === frame.dataset.run)) {
      loaded(frame, () => send(frame, { light: one.frames, host: one.host }));
    }
  }
}

addEventListener('message', (event) => {
  const from = frames().find((frame) => frame.contentWindow === event.source);
  if (!from || event.origin !== location.origin || !field || !event.data) return;
  if (Number.isInteger(event.data.frame)) {
    field.value = `#${event.data.frame}`;
    say([word('filled', { frame: event.data.frame, host: String(event.data.host || '') })]);
  }
});
root.addEventListener('language', (event) => frames().forEach((one) => send(one, { language: event.detail })));
root.addEventListener('theme', (event) => frames().forEach((one) => send(one, { theme: event.detail })));

// ------------------------------------------------------------ evidence

function input(ask) {
  if (ask.unit === 'choice') return radios(ask.id, ask.choices);
  const box = make('input', { type: 'text', name: ask.id, autocomplete: 'off', spellcheck: false });
  box.onfocus = () => { field = ask.unit === 'frame' ? box : null; };
  if (ask.unit !== 'order') return [box];
  box.setAttribute('aria-labelledby', `asks-${ask.id}`);
  const add = (id) => { box.value = box.value ? `${box.value} > ${id}` : id; };
  const chips = ask.choices.map(([id, text]) => button(text, () => add(id)));
  return [make('span', { className: 'chips' }, chips, button(word('clear'), () => { box.value = ''; })), box];
}

function asking(ask) {
  const inputs = input(ask);
  if (inputs[0] instanceof HTMLInputElement) {
    return make('label', { className: 'field' }, make('span', {}, ask.asks), inputs);
  }
  const group = make('div', { className: 'field' }, make('span', { id: `asks-${ask.id}` }, ask.asks), inputs);
  group.setAttribute('role', 'group');
  group.setAttribute('aria-labelledby', `asks-${ask.id}`);
  return group;
}

function evidence(asked, runs) {
  const form = make('form');
  const hints = make('ol', { className: 'hints' });
  const more = button(word('hint', { points: asked.hint_costs }), async () => {
    const told = await attempt(() => post(`/quiz/${asked.sitting}/hint`));
    if (told) hints.append(make('li', {}, told));
    more.disabled = hints.children.length >= asked.hints;
  });
  const set = make('fieldset', {}, make('legend', {}, word('evidence')),
    asked.values.some((one) => one.unit === 'frame') ? make('p', { className: 'note' }, word('click')) : null, asked.values.map(asking), hints, more);
  if (!asked.interview) {
    set.append(make('label', { className: 'field' }, make('span', {}, word('why')), make('textarea', { name: 'why', rows: 4, maxLength: LONGEST })));
  }
  set.append(make('div', { className: 'buttons' }, make('button', { className: 'main' }, word('hand_in'))));
  form.append(set);
  form.onsubmit = async (event) => {
    event.preventDefault();
    const values = Object.fromEntries(asked.values.map((ask) => [ask.id, form.elements[ask.id] ? form.elements[ask.id].value : '']));
    const text = form.elements.why ? form.elements.why.value : '';
    const found = await attempt(() => post(`/quiz/${asked.sitting}/grade`, { values, text }));
    if (!found) return;
    set.disabled = true;
    field = null;
    verdict(asked, found, runs);
  };
  by('question').append(form);
  const first = form.querySelector('input');
  if (first) first.focus();
}

// ------------------------------------------------------------ verdict

const MARKS = { right: 'right', wrong: 'bad' };

function verdict(asked, found, runs) {
  const { grade, answer } = found;
  const asks = Object.fromEntries(asked.values.map((one) => [one.id, one.asks]));
  const list = make('ul', { className: 'plain verdict' }, grade.values.map((one) => make('li', { className: MARKS[one.mark] || 'open' },
    asks[one.id] || one.id, ': ', one.reason, ' ', proofs(one.proved_by, runs))));
  const section = make('section', { id: 'verdict', tabIndex: -1 }, make('h2', {}, word('verdict')),
    grade.reason ? make('p', {}, grade.gradable ? grade.reason : word('ungradable', { reason: grade.reason })) : list,
    guessed(found.prediction), score(grade, found.hints), spokenWords(asked, found), truth(answer, runs), after(asked, found));
  by('question').append(section);
  section.focus();
  light(found.lit);
  progress();
}

/** What proves something: frames as buttons that light them in the ladder, calls and counters in words. */
function proofs(cites, runs) {
  const whose = (cite) => `${runs.length > 1 ? `${cite.run} ` : ''}${cite.host}`;
  const others = cites.filter((cite) => cite.source !== 'frame').map((cite) => make('small', { className: 'line' }, `${whose(cite)}  ${cite.words}`));
  const some = cites.filter((cite) => cite.source === 'frame').map((cite) => {
    const { run } = runs.find((one) => one.scenario === cite.run);
    return button(`${whose(cite)} #${cite.where[0]}`, () => {
      front(run);
      light([{ run, host: cite.host, frames: [cite.where[0]] }]);
      by('runs').scrollIntoView({ block: 'nearest' });
    });
  });
  const lines = others.length > FEW ? make('details', {}, make('summary', {}, word('logs', { lines: others.length })), others) : others;
  return make('div', { className: 'proofs' }, some, lines);
}

const guessed = (made) => (made ? make('p', {}, made.true
  ? word('came_true', { option: made.made }) : word('did_not', { option: made.made, right: made.right })) : null);

const score = (grade, points) => (grade.reason ? null
  : make('p', { className: `score ${grade.passed ? 'kept' : ''}` }, word('score', { score: grade.score, ...grade.points }),
    points ? word('hints', { points }) : null));

/** The learner's words with what was found in them, and what was not; `aside` adds to an idea that is not. */
function words({ text, ideas, contradictions }, aside) {
  const said = text.map(([piece, mark]) => (mark ? make('mark', { className: mark }, piece) : piece));
  const found = ideas.map((one, n) => make('li', { className: one.said ? 'right' : 'open' },
    one.said ? word('said', one) : [word('missed', one), aside(n, one)]));
  const wrong = contradictions.map((one) => make('li', { className: 'bad' }, word('contradicts', one)));
  return [make('h3', {}, word('your_words')), make('p', {}, said), make('ul', { className: 'plain verdict' }, found, wrong)];
}

function spokenWords(asked, found) {
  if (!found.text.length) return null;
  return make('div', {}, words({ ...found.grade, text: found.text }, (n, one) => selfMark(asked, n, one)));
}

function selfMark(asked, n, one) {
  const box = make('input', { type: 'checkbox', name: 'covered', value: n });
  box.onchange = () => {
    const covered = [...document.querySelectorAll('input[name=covered]:checked')].map((some) => Number(some.value));
    attempt(() => post(`/quiz/${asked.sitting}/cover`, { covered }));
  };
  return make('label', { className: 'option' }, box, ' ', word('covered', one));
}

/** What a claim rests on; the run is one press away. */
function rests(claim, runs) {
  const cited = runs.find((one) => claim.evidence.some((cite) => cite.run === one.scenario));
  const marks = claim.grounds.map(({ ground, mark }) => (ground === 'run' && cited
    ? make('a', { href: `/runs/${encodeURIComponent(cited.run)}`, target: '_blank', rel: 'noopener' }, mark) : make('span', {}, mark)));
  return make('small', { className: 'rests' }, marks);
}

function truth(answer, runs) {
  const pair = (name, text) => (text ? make('p', {}, make('strong', {}, word(name)), ' ', text) : null);
  const claims = answer.claims.map((one) => make('li', { className: one.holds ? 'right' : 'bad' }, one.claim, ' ', rests(one, runs), proofs(one.evidence, runs)));
  const grounds = answer.grounds.map((one) => make('small', { className: 'line' }, one.mark, `: ${one.sources.join('; ')}`));
  return make('div', {}, make('h3', {}, word('answer')), make('p', {}, answer.answer), make('p', {}, grounds),
    make('h3', {}, word('shown')), make('ul', { className: 'plain verdict' }, claims),
    pair('lists', answer.claim), pair('truth', answer.truth));
}

function after(asked, found) {
  const then = found.then.filter((one) => one.asks).map((one) => button([`${one.id} `, one.asks], () => ask({ question: one.id })));
  const [coming, ...chain] = found.chain;
  const next = coming ? { question: coming, interview: asked.interview, chain } : {};
  return make('div', {}, then.length ? make('h3', {}, word('asked_next')) : null,
    make('div', { className: 'buttons' }, then, button(word('next'), () => ask(next), 'main')));
}

// ------------------------------------------------------------ progress

const command = (scenarios) => scenarios.map((one) => `lab run ${one}`).join(' && ');

async function progress() {
  const answer = await fetch('/quiz/progress', { headers: { accept: 'application/json' } }).catch(() => null);
  const told = answer ? await answer.json() : { error: [word('failed')] };
  if (told.error) { say(told.error, 'wrong'); return; }
  const open = new Set([...by('progress').querySelectorAll('details[open]')].map((one) => one.id));
  const sum = make('p', {}, word('passed', { ...told, due: told.due.length }));
  const ready = plays ? null : make('p', {}, word('ready', told), ' ', told.best ? word('best', { command: command([told.best]) }) : null);
  by('progress').hidden = Boolean(opened.question) && !by('verdict');
  by('progress').replaceChildren(...[sum, ready].filter(Boolean), ...told.stages.map((one) => {
    const head = make('summary', {}, `${one.number}  `, one.title, ` ${one.passed}/${one.questions.length} `,
      one.open ? null : make('small', {}, word('closed', one)));
    const list = one.questions.map((q) => make('li', { className: q.passed ? 'right' : 'open' },
      q.lacks.length ? [`${q.id} `, q.asks, ' ', make('code', {}, word('first', { command: command(q.lacks) }))]
        : button([`${q.id} `, q.asks], () => ask({ question: q.id })),
      told.due.includes(q.id) ? [' ', make('small', {}, word('due'))] : null));
    return make('details', { id: `stage-${one.number}`, open: open.has(`stage-${one.number}`) }, head, make('ul', { className: 'plain verdict' }, list));
  }));
}

by('next').onclick = () => ask({});
by('interview').onclick = () => ask({ interview: true });
if (plays && !token) {
  by('untrusted').hidden = false;
  for (const one of by('begin').querySelectorAll('button')) one.disabled = true;
}
const wanted = new URLSearchParams(location.search).get('question');
const here = new EventSource('/here'); // while this page is open, the server stays
addEventListener('pagehide', () => here.close());
addEventListener('focus', () => { if (!plays && !by('progress').hidden) progress(); }); // runs may have come meanwhile
progress().then(() => { if (wanted && (token || !plays)) ask({ question: wanted }); });
