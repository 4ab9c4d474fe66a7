const root = document.documentElement;
const data = JSON.parse(document.getElementById("data").textContent);
const drawer = document.getElementById("drawer");
const chinese = root.lang !== "en"; // as it was made
const all = (selector, within = document) => [...within.querySelectorAll(selector)];

/* State: in the address after "#", and nowhere else. */

const state = { at: "", bytes: false, abs: false, raw: false, t: 0, true: false, code: false, zh: chinese, theme: "", tab: "" };

function read() {
  const [at, ...flags] = decodeURIComponent(location.hash.slice(1)).split(";");
  Object.assign(state, { abs: false, raw: false, t: 0, true: false, code: false, zh: chinese, theme: "", tab: "" });
  state.bytes = at.endsWith("/bytes");
  state.at = at.replace(/\/bytes$/, "");
  for (const flag of flags) {
    if (["abs", "raw", "true", "code"].includes(flag)) state[flag] = true;
    else if (flag === "zh" || flag === "en") state.zh = flag === "zh";
    else if (/^t[0-3]$/.test(flag)) state.t = Number(flag[1]);
    else if (flag === "light" || flag === "dark") state.theme = flag;
    else if (flag.startsWith("only-")) state.tab = flag.slice(5);
  }
}

function written() {
  const flags = ["abs", "raw", "true", "code"].filter((name) => state[name]);
  if (state.zh !== chinese) flags.push(state.zh ? "zh" : "en");
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
  join(state.tab);
  for (const act of all(".act")) act.hidden = state.tab ? act.dataset.act !== state.tab : act.matches(".joint");
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
