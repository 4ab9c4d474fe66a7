/* Several exchanges in one ladder: their own rows, each where Python put it among the others. */

const PLACES = ["--y", "--Y", "--l", "--L", "--f", "--F"];
const LOOKS = 4; // of labels, in turn
let joined = "";
let homes = []; // of each row: itself, and the list that it is of
/* bring the rows of a joint ladder there; those of the one before go home */
function join(key) {
  if (key === joined) return;
  joined = key;
  for (const list of all(".joint .rows")) list.replaceChildren();
  for (const [own, list] of homes) list.append(own);
  const { left, rows } = data.joints[key] || { rows: [] };
  homes = rows.map(([id]) => [row(id), row(id).parentElement]);
  const talks = [...new Set(homes.map(([, list]) => list))];
  const made = rows.map(([, places, clocks], n) => {
    const [own, list] = homes[n];
    return labelled(moved(own, left, places, clocks), list, talks.indexOf(list) % LOOKS);
  });
  for (const [own] of homes) own.remove();
  document.querySelector(`[data-act="${key}"] .rows`)?.append(...made);
}
/* a row as it is in a joint ladder: its places, its arrow's slope, its clocks */
function moved(own, left, places, clocks) {
  const made = own.cloneNode(true);
  PLACES.slice(0, places.length).forEach((name, n) => made.style.setProperty(name, places[n] + "px"));
  all(".fork", made).forEach((fork, n) => ["--f", "--F"].forEach((name, mode) => fork.style.setProperty(name, places[PLACES.length + 2 * n + mode] + "px")));
  ["long", "far"].forEach((name, mode) => made.classList.toggle(name, places[4 + mode] > data.long));
  clocks.forEach((said, n) => { made.querySelector(".t" + n).textContent = said; });
  for (const state of all(".states span", made)) {
    const [whose, name] = state.textContent.split(": ");
    state.className = whose === left ? "of-left" : "of-right";
    state.replaceChildren(make("span", { class: "whose" }, whose + ": "), name);
  }
  return made;
}
/* with the name of its exchange, as on the tab */
function labelled(made, list, look) {
  const tab = document.querySelector(`[data-tab="${list.closest(".act").dataset.act}"]`);
  made.querySelector(".hit")?.prepend(make("b", { class: `talk look${look}` }, tab.textContent), " ");
  return made;
}
