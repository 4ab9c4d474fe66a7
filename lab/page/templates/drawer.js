/* The drawer. */

let opener = null;
function close() {
  const key = state.at;
  change({ at: "", bytes: false });
  const hit = opener?.isConnected ? opener : row(key)?.querySelector(".hit");
  if (hit) focus(hit);
}
function open() {
  for (const hit of all(".here")) hit.classList.remove("here");
  const told = state.at && details(state.at);
  drawer.hidden = !told;
  root.classList.toggle("open", Boolean(told));
  if (!told) return;
  drawer.replaceChildren(...content(state.at, told, state.bytes));
  row(state.at)?.querySelector(".hit")?.classList.add("here");
}

function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value);
  made.append(...children);
  return made;
}
const both = ([en, zh]) => (en === zh ? [en] : [make("span", { lang: "en" }, en), make("span", { lang: "zh-Hans" }, zh)]);
const word = (name) => both(data.words[name]);
const heading = (name) => make("h3", {}, ...word(name));
const filled = (name, values) => both(data.words[name].map((text) => text.replace(/\{(\w+)\}/g, (_, key) => values[key])));

function linked(pair) {
  return pair.map((text) =>
    text.split(/(#\d+[A-Z]?)/).map((part) => (/^#\d/.test(part) && exists("f" + part.slice(1)) ? make("a", { href: "#f" + part.slice(1) }, part) : part)),
  );
}
function sentence(pair) {
  const [en, zh] = linked(pair);
  return pair[0] === pair[1] ? make("p", {}, ...en) : make("p", {}, make("span", { lang: "en" }, ...en), make("span", { lang: "zh-Hans" }, ...zh));
}

function content(key, told, bytes) {
  const shut = make("button", { type: "button", onclick: close }, ...word("close"), " ", make("kbd", {}, "esc"));
  const name = told.call ? told.host : "#" + key.slice(1);
  return [make("h2", {}, make("span", {}, name), shut), ...(told.call ? ofCall(told) : ofFrame(key, told, bytes))];
}

function ofCall(told) {
  const rows = [["call", told.call], ["result", told.result], ["took", told.took], ["place", told.place], ["source", told.source]].filter(([, value]) => value);
  const table = make("table", {}, ...rows.map(([name, value]) => make("tr", {}, make("th", {}, ...word(name)), make("td", { class: "v" }, value))));
  const frames = told.frames.map((key) => make("a", { href: "#" + key }, "#" + key.slice(1)));
  const list = frames.flatMap((link) => [link, " "]);
  return [make("div", { class: "says" }), table, ...(frames.length ? [heading("frames"), make("p", {}, ...list)] : [])];
}

function ofFrame(key, told, bytes) {
  const octets = Uint8Array.from(atob(told.octets), (character) => character.charCodeAt(0));
  const parts = [make("div", { class: "says" }, ...told.says.map(sentence))];
  if (told.sum) parts.push(heading("sum"), make("div", { class: "why" }, ...told.sum.map(sentence)));
  if (told.why.length) parts.push(heading("why"), make("div", { class: "why" }, ...told.why.map(sentence)));
  if (told.lost) {
    const [en, zh, scenario] = told.lost;
    parts.push(heading("if_lost"), sentence([en, zh]), make("p", {}, ...word("shows"), " ", shows(scenario)));
  }
  const fields = fieldsOf(told);
  const dump = bytes ? groups(octets, fields, told) : lines(octets);
  const mode = make("a", { href: "#" + key + (bytes ? "" : "/bytes") }, ...word(bytes ? "raw" : "annotated"));
  parts.push(
    make("h3", {}, ...word("octets"), " ", make("small", {}, mode)),
    dump,
    ...(told.size > octets.length ? [make("p", {}, ...filled("not_here", { n: told.size - octets.length }))] : []),
    ...payload(octets.slice(...told.payload), told),
    heading("headers"),
    make("div", { class: "tables", tabindex: "0" }, table(told, fields)),
  );
  const unit = make("div", { class: "unit" }, ...parts);
  for (const kind of ["mouseover", "focusin"]) unit.addEventListener(kind, (event) => light(unit, event.target));
  return [unit];
}

/* the newest run of a scenario, where a server knows of one; else how to play it */
function shows(scenario) {
  const known = JSON.parse(document.getElementById("newest")?.textContent || "{}");
  const run = known[scenario.replace(":", ".")];
  return run ? make("a", { href: "/runs/" + encodeURIComponent(run), target: "_blank", rel: "noopener" }, run) : make("code", {}, "lab run " + scenario);
}

function fieldsOf(told) {
  return told.layers.flatMap(([layout, begin, , values], layer) =>
    data.layouts[layout][1].map(([name, bit, width], index) => {
      const first = begin + Math.floor(bit / 8);
      return { layer, name, value: values[index], bit, width, first, last: begin + Math.floor((bit + width - 1) / 8) };
    }),
  );
}

function table(told, fields) {
  const head = make("tr", {}, ...["field", "bits", "value"].map((name) => make("th", { scope: "col" }, ...word(name))));
  const rows = told.layers.flatMap(([layout], layer) => [
    make("tr", { class: "layer" }, make("th", { colspan: "3", scope: "rowgroup" }, data.layouts[layout][0])),
    ...fields.filter((field) => field.layer === layer).map((field) =>
      make("tr", { "data-first": field.first, "data-last": field.last, tabindex: "0" },
        make("td", {}, field.name),
        make("td", {}, field.width === 1 ? String(field.bit) : `${field.bit}–${field.bit + field.width - 1}`),
        make("td", { class: "v" }, field.value)),
    ),
  ]);
  return make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows));
}

const hex = (octet) => octet.toString(16).padStart(2, "0");
const octet = (value, at, space = " ") => make("span", { "data-o": at }, hex(value) + space);
function lines(octets) {
  const made = make("code", { class: "hex" });
  for (let at = 0; at < octets.length; at += 8) {
    const some = [...octets.slice(at, at + 8)];
    const text = some.map((value) => (value > 31 && value < 127 ? String.fromCharCode(value) : "·")).join("");
    const pad = "   ".repeat(8 - some.length);
    made.append(make("span", { class: "line", "data-text": text }, make("i", {}, at.toString(16).padStart(4, "0")), ...some.map((value, i) => octet(value, at + i)), pad));
  }
  return made;
}
function groups(octets, fields, told) {
  const made = make("code", { class: "hex" });
  let at = 0;
  const piece = (until, label) => {
    if (at >= until) return;
    made.append(make("span", { class: "group" }, make("u", {}, ...label), ...[...octets.slice(at, until)].map((value, i) => octet(value, at + i))));
    at = until;
  };
  for (let i = 0; i < fields.length; ) {
    let end = i + 1;
    let last = fields[i].last;
    while (end < fields.length && fields[end].first <= last) last = Math.max(last, fields[end++].last);
    const label = fields.slice(i, end).map((field) => `${field.name} ${field.value}`).join(", ");
    piece(fields[i].first, ["…"]);
    piece(Math.min(last + 1, octets.length), [label]);
    i = end;
  }
  if (told.payload[1] > told.payload[0]) piece(told.payload[1], word("payload"));
  piece(octets.length, ["…"]);
  return made;
}
function light(unit, target) {
  const line = target.closest("tr[data-first]");
  const one = target.closest("[data-o]");
  if (!line && !one) return;
  const [first, last] = line ? [Number(line.dataset.first), Number(line.dataset.last)] : [Number(one.dataset.o), Number(one.dataset.o)];
  for (const span of all("[data-o]", unit)) span.classList.toggle("at", first <= Number(span.dataset.o) && Number(span.dataset.o) <= last);
  for (const tr of all("tr[data-first]", unit)) tr.classList.toggle("at", Number(tr.dataset.first) <= last && first <= Number(tr.dataset.last));
}

function payload(octets, told) {
  if (!octets.length) return [];
  const made = [heading("payload")];
  const raw = [...octets].map((value) => (value > 32 && value < 127 ? String.fromCharCode(value) : "\\x" + hex(value))).join("");
  const [began, goesOn] = told.gbk || [false, false];
  const reads = told.reads || [];
  const ways = [["UTF-8", ...inEncoding("utf-8", octets, continued(octets), true, reads)], ["GBK", ...inEncoding("gbk", octets, Number(began), goesOn, reads)], [null, raw]];
  for (const [name, ...text] of ways) made.push(make("small", {}, ...(name ? [name] : word("raw"))), make("pre", { class: "payload" }, ...text));
  return made;
}
const harmless = (text) => text.replace(/[\p{C}\u2028\u2029]/gu, (c) => ({ "\n": "\\n", "\r": "\\r", "\t": "\\t" })[c] || "\\u" + c.codePointAt(0).toString(16).padStart(4, "0"));
function decoded(octets, encoding) {
  try {
    return [harmless(new TextDecoder(encoding, { fatal: true }).decode(octets))];
  } catch {
    return [harmless(new TextDecoder(encoding).decode(octets)), " ", make("mark", {}, ...word("invalid"))];
  }
}
/* how many octets a character takes, by its first */
const widths = {
  "utf-8": (value) => (value >= 0xf0 ? 4 : value >= 0xe0 ? 3 : value >= 0xc0 ? 2 : 1),
  gbk: (value) => (value > 0x80 && value < 0xff ? 2 : 1),
};
function continued(octets) {
  const begin = octets.findIndex((value) => (value & 0xc0) !== 0x80);
  return begin > 3 || begin < 0 ? 0 : begin;
}
function charactersOf(encoding, octets, begin) {
  const found = [];
  for (let at = begin; at < octets.length; at += widths[encoding](octets[at])) found.push([at, at + widths[encoding](octets[at])]);
  return found;
}
/* text, with what is cut marked: at a segment's edges, and where a recv() ended within */
function inEncoding(encoding, octets, begin, goesOn, reads) {
  const every = charactersOf(encoding, octets, begin);
  const whole = every.filter(([, end]) => end <= octets.length);
  const end = whole.length ? whole.at(-1)[1] : begin;
  const middle = (from, until) => decoded(octets.slice(from, until), encoding);
  if (middle(begin, end).length > 1 || (end < octets.length && !goesOn)) return decoded(octets, encoding);
  const split = whole.filter(([from, until]) => reads.some((read) => from < read && read < until));
  const made = [];
  let at = begin;
  for (const [from, until] of split) {
    made.push(...middle(at, from), make("mark", {}, ...middle(from, until)));
    at = until;
  }
  made.push(...middle(at, end));
  const part = (some) => (some.length ? [make("mark", {}, [...some].map(hex).join(" "))] : []);
  const note = (name, is) => (is ? [" ", make("small", {}, "(", ...word(name), ")")] : []);
  const [before, after] = [part(octets.slice(0, begin)), part(octets.slice(end))];
  return [...before, ...(before.length ? [" "] : []), ...made, ...(after.length ? [" "] : []), ...after, ...note("cut", before.length + after.length), ...note("read", split.length)];
}
