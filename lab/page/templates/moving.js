/* Moving. */

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
  const first = all(".hit").find((hit) => hit.checkVisibility());
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
    for (const name of ["covers", "held", "missing", "copied"]) {
      for (const one of all(".row-" + name)) one.classList.remove("row-" + name);
      for (const key of (list?.dataset[name] || "").split(" ")) row(key)?.classList.add("row-" + name);
    }
  });
