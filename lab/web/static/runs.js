// The list of runs: verdicts are asked for one after another, a scenario is played at a press.
'use strict';

(async () => {
  for (const cell of document.querySelectorAll('td[data-run]')) {
    const answer = await fetch(`/verdict/${encodeURIComponent(cell.dataset.run)}`,
      { headers: { accept: 'application/json' } }).catch(() => null);
    if (!answer || !answer.ok) continue;
    const found = await answer.json();
    cell.className = `fate ${found.fate}`;
    cell.replaceChildren(both(found.words));
  }
})();

const form = document.getElementById('play');
if (form) {
  document.getElementById('untrusted').hidden = Boolean(token);
  form.querySelector('button').disabled = !token;
  form.onsubmit = async (event) => {
    event.preventDefault();
    try {
      await post(`/run/${encodeURIComponent(form.scenario.value)}`);
      location.assign('/live');
    } catch (error) {
      tell(document.getElementById('told'), error.lines || [error.message], 'wrong');
    }
  };
}
