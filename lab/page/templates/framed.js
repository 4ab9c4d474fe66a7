/* Framed, by the lab's own server: frames announced, frames lit. */

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
