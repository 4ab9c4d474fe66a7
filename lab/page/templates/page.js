"use strict";
(() => {
  const root = document.documentElement;
  const data = JSON.parse(document.getElementById("data").textContent);
  const drawer = document.getElementById("drawer");
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  /* ---- state: in the address after "#", and nowhere else */

  const state = { at: "", bytes: false, abs: false, raw: false, t: 0, true: false, code: false, zh: false, theme: "", tab: "" };

  function read() {
    const [at, ...flags] = decodeURIComponent(location.hash.slice(1)).split(";");
    Object.assign(state, { abs: false, raw: false, t: 0, true: false, code: false, zh: false, theme: "", tab: "" });
    state.bytes = at.endsWith("/bytes");
    state.at = at.replace(/\/bytes$/, "");
    for (const flag of flags) {
      if (["abs", "raw", "true", "code", "zh"].includes(flag)) state[flag] = true;
      else if (/^t[0-3]$/.test(flag)) state.t = Number(flag[1]);
      else if (flag === "light" || flag === "dark") state.theme = flag;
      else if (flag.startsWith("only-")) state.tab = flag.slice(5);
    }
  }

  function written() {
    const flags = ["abs", "raw", "true", "code", "zh"].filter((name) => state[name]);
    if (state.t) flags.push("t" + state.t);
    if (state.theme) flags.push(state.theme);
    if (state.tab) flags.push("only-" + state.tab);
    return "#" + [state.at + (state.bytes ? "/bytes" : ""), ...flags].join(";");
  }

  function change(changes, push = false) {
    Object.assign(state, changes);
    history[push ? "pushState" : "replaceState"](null, "", written());
    show();
  }

  function show() {
    const names = ["abs", "raw", "true", "code", "zh"].filter((name) => state[name]);
    const anchor = names.includes("true") === root.classList.contains("true") ? null : nearTop();
    root.className = [...names, "t" + state.t, state.theme, drawer.hidden ? "" : "open"].join(" ").trim();
    root.lang = state.zh ? "zh-Hans" : "en";
    for (const act of all(".act")) act.hidden = Boolean(state.tab) && act.dataset.act !== state.tab;
    for (const tab of all("[data-tab]")) tab.setAttribute("aria-pressed", String(tab.dataset.tab === state.tab));
    const pressed = { r: state.abs, w: state.raw, e: state.true, p: state.code, l: state.zh };
    for (const button of all(".bar button"))
      if (button.dataset.key in pressed) button.setAttribute("aria-pressed", String(pressed[button.dataset.key]));
    if (anchor) anchor.scrollIntoView({ block: "center" });
    rove();
    open();
  }

  const dark = () => (state.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const toggles = {
    r: () => change({ abs: !state.abs }),
    w: () => change({ raw: !state.raw }),
    t: () => change({ t: (state.t + 1) % 4 }),
    e: () => change({ true: !state.true }),
    p: () => change({ code: !state.code }),
    l: () => change({ zh: !state.zh }),
    P: () => print(),
    d: () => change({ theme: dark() ? "light" : "dark" }),
  };

  /* ---- rows: of a long run only those near what is seen are in the page, and unpacked at need */

  const isKey = /^(f\d+[A-Z]*|(tcp|udp|rest)\d+[cg]\d+)(\/bytes)?$/;
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
  async function fill(list) {
    const number = Number(list.dataset.chunk);
    await load(number);
    if (list.firstChild) return;
    list.innerHTML = data.chunks[number].html;
    for (const hit of all(".hit", list)) hit.tabIndex = -1;
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
  const near = new Set();
  if (lists.length) {
    const seen = new IntersectionObserver(
      (entries) => {
        for (const { target, isIntersecting } of entries)
          if (isIntersecting) {
            near.add(target);
            fill(target).then(() => near.has(target) || target.replaceChildren());
          } else {
            near.delete(target);
            if (!target.contains(document.activeElement)) target.replaceChildren();
          }
      },
      { rootMargin: "1500px 0px" },
    );
    lists.forEach((list) => seen.observe(list));
  }

  /* ---- moving */

  const hits = () => all(".hit").filter((hit) => hit.checkVisibility());
  function nearTop() {
    return hits().find((hit) => hit.getBoundingClientRect().top > 130) || null;
  }
  function move(step) {
    const found = hits();
    const now = found.indexOf(document.activeElement.closest("li")?.querySelector(".hit"));
    const next = now < 0 ? found.indexOf(nearTop()) : Math.min(Math.max(now + step, 0), found.length - 1);
    if (found[next]) focus(found[next]);
    if (!drawer.hidden && found[next]) change({ at: found[next].closest("li").id, bytes: false });
  }
  function focus(hit) {
    for (const other of all(".hit[tabindex='0']")) other.tabIndex = -1;
    hit.tabIndex = 0;
    hit.focus({ preventScroll: true });
    const box = hit.getBoundingClientRect();
    if (box.top < 130 || box.bottom > innerHeight - 40) hit.scrollIntoView({ block: "center" });
  }
  function rove() {
    if (all(".hit[tabindex='0']").some((hit) => hit.checkVisibility())) return;
    for (const hit of all(".hit")) hit.tabIndex = -1;
    const first = hits()[0];
    if (first) first.tabIndex = 0;
  }

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
    const moves = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 };
    if (event.key in moves && !drawer.contains(event.target)) {
      event.preventDefault();
      move(moves[event.key]);
    } else if (event.key === "Escape" && !drawer.hidden) close();
    else if (event.key in toggles) toggles[event.key]();
  });

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    const button = event.target.closest("button");
    if (button && button.dataset.key) toggles[button.dataset.key]();
    else if (button && "tab" in button.dataset) change({ tab: button.dataset.tab }, true);
    else if (link) {
      const target = link.getAttribute("href").slice(1);
      const key = target.replace(/\/bytes$/, "");
      if (!isKey.test(key) || !exists(key)) return;
      event.preventDefault();
      opener = link;
      announce(key);
      const jump = !link.classList.contains("hit");
      fetchRow(key).then(() => {
        change({ at: key, bytes: target.endsWith("/bytes"), tab: within(key) ? state.tab : "" }, true);
        if (jump) reveal(key);
        drawer.focus({ preventScroll: true });
      });
    }
  });
  const within = (key) => !state.tab || Boolean(row(key)?.closest(`[data-act="${CSS.escape(state.tab)}"]`));
  function reveal(key) {
    const band = row(key)?.closest("details");
    if (band) band.open = true;
    row(key)?.querySelector(".hit").scrollIntoView({ block: "center" });
  }

  for (const kind of ["focusin", "mouseover"])
    document.addEventListener(kind, (event) => {
      const list = event.target.closest?.(".frame");
      for (const name of ["covered", "held", "missing"]) {
        for (const one of all("." + name)) one.classList.remove(name);
        for (const key of (list?.dataset[name === "covered" ? "covers" : name] || "").split(" ")) row(key)?.classList.add(name);
      }
    });

  /* ---- the drawer */

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
    const rows = [["call", told.call], ["result", told.result], ["took", told.took], ["place", told.place]].filter(([, value]) => value);
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
      parts.push(heading("if_lost"), sentence([en, zh]), make("p", {}, ...word("shows"), " ", make("code", {}, "lab run " + scenario)));
    }
    const fields = fieldsOf(told);
    const dump = bytes ? groups(octets, fields, told) : lines(octets);
    const mode = make("a", { href: "#" + key + (bytes ? "" : "/bytes") }, ...word(bytes ? "raw" : "annotated"));
    parts.push(
      make("h3", {}, ...word("octets"), " ", make("small", {}, mode)),
      dump,
      ...(told.size > octets.length ? [make("p", {}, ...filled("not_here", { n: told.size - octets.length }))] : []),
      ...payload(octets.slice(...told.payload)),
      heading("headers"),
      make("div", { class: "tables", tabindex: "0" }, table(told, fields)),
    );
    const unit = make("div", { class: "unit" }, ...parts);
    for (const kind of ["mouseover", "focusin"]) unit.addEventListener(kind, (event) => light(unit, event.target));
    return [unit];
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

  function payload(octets) {
    if (!octets.length) return [];
    const made = [heading("payload")];
    const raw = [...octets].map((value) => (value > 32 && value < 127 ? String.fromCharCode(value) : "\\x" + hex(value))).join("");
    const ways = [["UTF-8", ...utf8(octets)], ["GBK", ...decoded(octets, "gbk")], [null, raw]];
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
  function utf8(octets) {
    let begin = 0;
    while (begin < Math.min(3, octets.length) && (octets[begin] & 0xc0) === 0x80) begin++;
    let end = octets.length;
    for (let back = 1; back <= Math.min(3, octets.length - begin); back++) {
      const value = octets[octets.length - back];
      if ((value & 0xc0) === 0xc0 && (value >= 0xf0 ? 4 : value >= 0xe0 ? 3 : 2) > back) end = octets.length - back;
      if ((value & 0xc0) !== 0x80) break;
    }
    const whole = octets.slice(begin, end);
    const middle = decoded(whole, "utf-8");
    if (middle.length > 1) return decoded(octets, "utf-8");
    const part = (some) => (some.length ? [make("mark", {}, [...some].map(hex).join(" ")), " "] : []);
    const note = begin || end < octets.length ? [" ", make("mark", {}, ...word("cut"))] : [];
    return [...part(octets.slice(0, begin)), ...middle, " ", ...part(octets.slice(end)), ...note];
  }

  /* ---- printing: everything, opened */

  const FEW = 400;
  addEventListener("beforeprint", () => {
    all("details").forEach((one) => (one.open = true));
    const frames = data.chunks.flatMap((chunk) => Object.entries(chunk.details || {})).filter(([, told]) => told.octets !== undefined);
    frames.sort(([one], [other]) => parseInt(one.slice(1), 10) - parseInt(other.slice(1), 10));
    const units = lists.length || frames.length > FEW ? [] : frames.map(([key, told]) => make("div", { class: "sheet" }, make("h3", {}, "#" + key.slice(1)), ...ofFrame(key, told, false)));
    document.getElementById("printed").replaceChildren(...(units.length ? [make("h2", {}, ...word("details"))] : []), ...units);
  });
  /* a long run's rows take time to unpack, which a browser's own command does not give */
  const print = async () => { await Promise.all(lists.map(fill)); window.print(); };
  addEventListener("afterprint", () => document.getElementById("printed").replaceChildren());

  /* ---- framed, by the lab's own server: frames announced, frames lit */

  const framed = parent !== window && location.origin !== "null";
  function announce(key) {
    const found = /^f(\d+)([A-Z]*)$/.exec(key);
    if (framed && found) parent.postMessage({ frame: Number(found[1]), host: data.hosts[found[2]], run: data.run }, location.origin);
  }
  addEventListener("message", ({ source, origin, data: said }) => {
    if (!framed || source !== parent || origin !== location.origin || typeof said !== "object") return;
    if (Array.isArray(said.light)) {
      for (const one of all(".lit")) one.classList.remove("lit");
      const letter = Object.keys(data.hosts).find((name) => name && data.hosts[name] === said.host && data.hosts[""] !== said.host) || "";
      const keys = said.light.map((number) => `f${Number(number)}${letter}`);
      Promise.all(keys.map(fetchRow)).then(() => {
        for (const key of keys) row(key)?.classList.add("lit");
        if (keys[0]) reveal(keys[0]);
      });
    }
    if (said.language === "en" || said.language === "zh") change({ zh: said.language === "zh" });
    if (said.theme === "light" || said.theme === "dark") change({ theme: said.theme });
  });

  async function arrive() {
    read();
    if (state.at) await fetchRow(state.at);
    show();
    if (details(state.at)) reveal(state.at);
  }
  addEventListener("hashchange", arrive);
  addEventListener("popstate", arrive);
  read();
  show();
  if (state.at) arrive();
})();
