// The live half of the site's page: counts are written into the picture, and a newer version is told, never swapped under the reader.
import { listen } from "./live.js";
import { fill, show, write } from "./slots.js";

const site = document.getElementById("site");
const picture = site.querySelector(".site-picture");
const first = JSON.parse(document.getElementById("site-live").textContent);
let shown = new Set();

function put(place, name, counts) {
  for (const text of picture.querySelectorAll(`.count[${place}="${CSS.escape(name)}"]`)) {
    const count = counts[text.classList.contains("now") ? 0 : 1];
    write(text, count);
    text.toggleAttribute("data-empty", !count);
  }
}

function place(key) {
  return key.startsWith("line:") ? ["data-line", key.slice(5)] : ["data-node", key];
}

function take(live) {
  fill(site, live);
  const now = new Set(Object.keys(live.counts));
  for (const key of shown) if (!now.has(key)) put(...place(key), [0, 0]);
  for (const key of now) put(...place(key), live.counts[key]);
  shown = now;
  show(site.querySelector("[data-newer]"), live.version !== first.version);
}

// Large to read, whole to see where one is; whoever chose once is not asked again.
const KEPT = "shouwen.site.fit";
const fit = site.querySelector("[data-fit]");

function spread(isWhole) {
  picture.classList.toggle("fit", isWhole);
  fit.setAttribute("aria-pressed", String(isWhole));
  localStorage.setItem(KEPT, isWhole ? "1" : "");
}

fit.hidden = false;
fit.addEventListener("click", () => spread(!picture.classList.contains("fit")));
spread(localStorage.getItem(KEPT) === "1");

take(first);
listen("/site/events", take);
