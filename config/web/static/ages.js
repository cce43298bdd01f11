// Ages that tick. The server gives instants of the product's clock; the page counts on from there by itself.
//
//   <span data-since-instant="1795395600000">0:12</span>    counts up
//   <span data-until-instant="1795395615000">0:15</span>    counts down to 0:00; data-near is set in the last quarter of data-for-ms
//
// The clock is the one value origin:anchor:speed of <meta name="product-clock">; data-now-ms says what the server's
// showed when it wrote the page, which takes the browser's own error out.

const meta = document.querySelector('meta[name="product-clock"]');
const [origin, anchor, pace] = (meta?.content || "0:0:1").split(":").map(Number);

export const speed = pace > 0 ? pace : 1;

const reading = () => origin + (Date.now() - anchor) * speed;

let error = 0;

// Put the clock right by an instant that the server has just told.
export function setNow(nowMs) {
  if (Number.isFinite(nowMs) && nowMs > 0) error = nowMs - reading();
}

// The product's present in milliseconds.
export const now = () => reading() + error;

// 0:07, 12:41, 1:02:09
export function face(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const pad = (number) => String(number).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${pad(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${pad(minutes % 60)}:${pad(seconds % 60)}`;
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function tick(root = document) {
  const present = now();
  for (const element of root.querySelectorAll("[data-since-instant]")) {
    write(element, face(present - Number(element.dataset.sinceInstant)));
  }
  for (const element of root.querySelectorAll("[data-until-instant]")) {
    const left = Number(element.dataset.untilInstant) - present;
    write(element, face(left + 999));
    const length = Number(element.dataset.forMs);
    element.toggleAttribute("data-near", length > 0 && left < length / 4);
  }
}

setNow(Number(meta?.dataset.nowMs));
tick();
setInterval(tick, Math.min(500, Math.max(100, 1000 / speed)), document);
