/* Rows: of a long run only those near what is seen are in the page, and unpacked at need. */

const isKey = /^(f\d+[A-Z]*|(tcp|udp|rest)\d*[A-Z]*[cg]\d+)(\/bytes)?$/;
const lists = all(".rows[data-chunk]");
async function unpack(text) {
  const packed = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}
const waiting = new Map();
function load(number) {
  if (typeof data.chunks[number] !== "string") return Promise.resolve();
  if (!waiting.has(number)) waiting.set(number, unpack(data.chunks[number]).then((chunk) => { data.chunks[number] = chunk; }));
  return waiting.get(number);
}
const chunkOf = (list) => data.chunks[Number(list.dataset.chunk)];
const isWhole = (list) => list.childElementCount >= Number(list.dataset.count);
/* the next rows of a list, which is unpacked, at its end */
function add(list, count = Infinity) {
  const there = list.childElementCount;
  list.insertAdjacentHTML("beforeend", chunkOf(list).rows.slice(there, there + count).join(""));
  for (const row of [...list.children].slice(there)) for (const hit of all(".hit", row)) hit.tabIndex = -1;
}
async function fill(list) {
  await load(Number(list.dataset.chunk));
  add(list);
  rove();
}
const details = (key) => data.chunks.map((chunk) => chunk.details?.[key]).find(Boolean);
const covers = (list, key) => key[0] === "f" && Number(list.dataset.from) <= parseInt(key.slice(1), 10) && parseInt(key.slice(1), 10) <= Number(list.dataset.to);
const exists = (key) => Boolean(details(key)) || lists.some((list) => covers(list, key));
async function fetchRow(key) {
  if (!isKey.test(key) || document.getElementById(key)) return;
  const likely = lists.filter((list) => covers(list, key));
  for (const list of likely.length ? likely : lists) {
    await load(Number(list.dataset.chunk));
    if (data.chunks[Number(list.dataset.chunk)].details[key]) return fill(list);
  }
}
const row = (key) => (key ? document.getElementById(key) : null);
/* a few rows a picture: nobody who scrolls has to wait for a whole list */
const AT_ONCE = 4;
const near = new Set();
function away(list) {
  const { top, bottom } = list.getBoundingClientRect();
  return Math.max(top - innerHeight, -bottom, 0);
}
const next = () => [...near].filter((list) => !isWhole(list)).sort((one, other) => away(one) - away(other))[0];
let filling = false;
async function fillNear() {
  if (filling) return;
  filling = true;
  for (let list; (list = next()); ) {
    await load(Number(list.dataset.chunk));
    if (near.has(list)) add(list, AT_ONCE);
    rove();
    await new Promise(requestAnimationFrame);
  }
  filling = false;
}
const clear = (list) => near.has(list) || list.contains(document.activeElement) || list.replaceChildren();
const seen = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      near[isIntersecting ? "add" : "delete"](target);
      clear(target);
    }
    fillNear();
  },
  { rootMargin: "1500px 0px" },
);
lists.forEach((list) => seen.observe(list));
