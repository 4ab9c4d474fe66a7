// The diagnosis room: symptoms, evidence for a price, the cause.
'use strict';

const lines = (some) => make('pre', {}, some.length ? some.join('\n') : word('nothing'));

async function diagnose() {
  say([word('running')]);
  const one = await attempt(() => {
    say([word('running')]);
    return post('/room/open');
  });
  if (!one) return;
  const offer = make('p', { role: 'status' }, word('ask_piece', { left: one.most, price: one.price }));
  const pieces = make('div', { className: 'chips' }, one.pieces.map(([id, text]) => button(text, (event) => piece(one, id, text, event.target.closest('button')))));
  const form = make('form', {}, make('fieldset', {}, make('legend', {}, word('cause')), one.causes.map(([value, text]) => make('label', { className: 'option' },
    make('input', { type: 'radio', name: 'cause', value, required: true }), ' ', text)), make('div', { className: 'buttons' }, make('button', { className: 'main' }, word('name_it')))));
  form.onsubmit = (event) => {
    event.preventDefault();
    cause(one, form);
  };
  offer.id = 'offer';
  say([]);
  stage(make('h2', {}, word('symptoms')), lines(one.symptoms), offer, pieces, make('div', { id: 'pieces' }), form);
}

async function piece(one, id, text, pressed) {
  const told = await attempt(() => post(`/room/${one.case}/piece`, { piece: id }));
  if (!told) return;
  by('offer').replaceChildren(both(told.left ? word('ask_piece', { left: told.left, price: one.price }) : word('no_more')));
  if (!told.lines || pressed.disabled) return;
  pressed.disabled = true;
  const shown = ['en', 'zh'].map((language) => {
    const span = make('span', { lang: language === 'zh' ? 'zh-Hans' : 'en' }, lines(told.lines[language]));
    return span;
  });
  by('pieces').append(make('h3', {}, text), ...shown);
}

async function cause(one, form) {
  const told = await attempt(() => post(`/room/${one.case}/cause`, { cause: form.elements.cause.value }));
  if (!told) return;
  form.querySelector('fieldset').disabled = true;
  const result = make('section', { tabIndex: -1, id: 'verdict' },
    make('p', { className: `score ${told.right ? 'kept' : 'broken'}` }, word(told.right ? 'right' : 'wrong', told)),
    make('p', {}, make('a', { href: `/runs/${encodeURIComponent(told.run)}` }, word('report'))));
  form.after(result);
  result.focus();
}

by('diagnose').onclick = diagnose;
