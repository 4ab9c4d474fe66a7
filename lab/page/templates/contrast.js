"use strict";
(() => {
  const root = document.documentElement;
  const chinese = root.lang !== "en"; // as it was made
  const state = { at: "", true: false, zh: chinese, theme: "" };

  /* ---- state: in the address after "#", and nowhere else */

  function read() {
    const [at, ...flags] = decodeURIComponent(location.hash.slice(1)).split(";");
    Object.assign(state, { at, true: flags.includes("true"), zh: chinese ? !flags.includes("en") : flags.includes("zh") });
    state.theme = flags.find((flag) => flag === "light" || flag === "dark") || "";
  }
  function change(changes) {
    Object.assign(state, changes);
    const flags = [state.true && "true", state.zh !== chinese && (state.zh ? "zh" : "en"), state.theme].filter(Boolean);
    history.replaceState(null, "", "#" + [state.at, ...flags].join(";"));
    show();
  }
  function show() {
    root.className = ["t0", state.true && "true", state.theme].filter(Boolean).join(" ");
    root.lang = state.zh ? "zh-Hans" : "en";
    const pressed = { e: state.true, l: state.zh };
    for (const button of document.querySelectorAll(".bar button"))
      if (button.dataset.key in pressed) button.setAttribute("aria-pressed", String(pressed[button.dataset.key]));
    for (const hit of document.querySelectorAll(".here")) hit.classList.remove("here");
    for (const hit of hitsOf(state.at)) hit.classList.add("here");
  }
  const hitsOf = (key) => [...(document.getElementById(key)?.querySelectorAll(".hit") || [])];

  const dark = () => (state.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const toggles = {
    e: () => change({ true: !state.true }),
    l: () => change({ zh: !state.zh }),
    d: () => change({ theme: dark() ? "light" : "dark" }),
    P: () => print(),
  };

  /* ---- moving: up and down within a run, left and right between the two */

  function move(key) {
    const cell = document.activeElement.closest(".half");
    const row = cell?.closest("li");
    if (!row) return false;
    const side = cell.classList.contains("a") ? "a" : "b";
    const other = side === "a" ? "b" : "a";
    const steps = { ArrowDown: [side, "nextElementSibling"], ArrowUp: [side, "previousElementSibling"], ArrowLeft: ["a", ""], ArrowRight: ["b", ""] };
    const [wanted, way] = steps[key];
    const next = way ? row[way] : row;
    const hit = next?.querySelector(`.half.${wanted} .hit`) || (way && next?.querySelector(`.half.${other} .hit`));
    if (hit) hit.focus();
    return true;
  }
  function reveal() {
    const [hit] = hitsOf(state.at);
    hit?.scrollIntoView({ block: "center" });
    hit?.focus({ preventScroll: true });
  }

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key.startsWith("Arrow")) {
      if (move(event.key)) event.preventDefault();
    } else if (event.key in toggles) toggles[event.key]();
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-key]");
    const link = event.target.closest("a[href^='#']");
    if (button) toggles[button.dataset.key]();
    else if (link) {
      event.preventDefault();
      change({ at: link.getAttribute("href").slice(1) });
      if (!link.classList.contains("hit")) reveal();
    }
  });
  addEventListener("hashchange", () => { read(); show(); reveal(); });
  read();
  show();
  if (state.at) reveal();
})();
