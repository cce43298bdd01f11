// One value in, one page filled: the parts the live pages share. Elements keep their place; only what changed is written.
import { now } from "./ages.js";

export const at = (path, value) => path.split(".").reduce((found, step) => (found == null ? found : found[step]), value);

export function show(element, shown) {
  if (element && element.hidden === shown) element.hidden = !shown;
}

export function write(element, text) {
  const words = text == null ? "" : String(text);
  if (element && element.textContent !== words) element.textContent = words;
}

export function fill(root, value) {
  for (const slot of root.querySelectorAll("[data-slot]")) write(slot, at(slot.dataset.slot, value));
}

export function rows(list, items, make) {
  const wanted = JSON.stringify(items);
  if (list.dataset.drawn === wanted) return;
  list.dataset.drawn = wanted;
  list.replaceChildren(...items.map(make));
}

export function element(tag, text, className) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text != null) made.textContent = text;
  return made;
}

// How long {since_ms}, until {until_ms}, or a length that stands still {for_ms}; null for nothing.
export function age(span) {
  if (!span) return null;
  if (span.for_ms != null) return span.for_ms;
  if (span.until_ms != null) return span.until_ms - now() + 999;
  return span.since_ms == null ? null : now() - span.since_ms;
}
