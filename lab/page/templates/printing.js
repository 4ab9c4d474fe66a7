/* Printing: everything, opened; of a long run its first rows, and how many are left out. */

const FEW = 400;
const MOST_PRINTED = 1000;
const rowsIn = (some) => some.reduce((sum, list) => sum + Number(list.dataset.count), 0);
const printable = lists.filter((_, index) => rowsIn(lists.slice(0, index + 1)) <= MOST_PRINTED);
const idle = window.requestIdleCallback || setTimeout;
/* a browser's own command gives no time to unpack */
async function prepare() {
  for (const list of printable) {
    await new Promise((done) => idle(done));
    await load(Number(list.dataset.chunk));
  }
}
const print = async () => {
  await Promise.all(printable.map((list) => load(Number(list.dataset.chunk))));
  window.print();
};
let undo = [];
function printRows() {
  const shown = printable.filter((list) => typeof chunkOf(list) !== "string");
  for (const list of shown) add(list);
  for (const list of lists) list.hidden = !shown.includes(list);
  for (const stage of all(".stage")) {
    const own = lists.filter((list) => stage.contains(list));
    const left = own.filter((list) => list.hidden);
    if (left.length) cut(stage, own[own.indexOf(left[0]) - 1], rowsIn(left));
  }
}
/* a ladder ends with the last of its rows that are printed */
function cut(stage, last, left) {
  const whole = stage.getAttribute("style");
  for (const [height, top] of [["--h", "--y"], ["--H", "--Y"]])
    stage.style.setProperty(height, last ? `calc(${last.style.getPropertyValue(top)} + ${last.style.getPropertyValue(height)})` : "0px");
  stage.classList.add("short");
  const note = make("p", { class: "warning" }, ...filled("not_printed", { n: left }));
  stage.after(note);
  undo.push(() => { note.remove(); stage.classList.remove("short"); stage.setAttribute("style", whole); });
}
function sheets() {
  const frames = data.chunks.flatMap((chunk) => Object.entries(chunk.details)).filter(([, told]) => told.octets !== undefined);
  if (frames.length > FEW) return [];
  frames.sort(([one], [other]) => parseInt(one.slice(1), 10) - parseInt(other.slice(1), 10));
  return [make("h2", {}, ...word("details")), ...frames.map(([key, told]) => make("div", { class: "sheet" }, make("h3", {}, "#" + key.slice(1)), ...ofFrame(key, told, false)))];
}
function printed() {
  for (const restore of undo) restore();
  undo = [];
  for (const list of lists) {
    list.hidden = false;
    clear(list);
  }
  document.getElementById("printed").replaceChildren();
}
addEventListener("beforeprint", () => {
  printed();
  for (const one of all("details:not([open])")) {
    one.open = true;
    undo.push(() => { one.open = false; });
  }
  if (lists.length) printRows();
  else document.getElementById("printed").replaceChildren(...sheets());
});
addEventListener("afterprint", printed);
prepare();
