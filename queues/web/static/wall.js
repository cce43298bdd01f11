// The live half of the wallboard. Queues keep their rows; people and tiers are redrawn only when they change.
import { face, now, setNow, speed } from "./ages.js";
import { listen } from "./live.js";
import { age, at, element, fill, rows, show, write } from "./slots.js";

const wall = document.getElementById("wall");
let state = JSON.parse(document.getElementById("wall-state").textContent);

function since(className, sinceMs) {
  const made = element("span", "", className);
  made.dataset.since = sinceMs;
  return made;
}

function tier(item) {
  const made = element("span", null, "tier");
  made.dataset.rank = item.rank;
  made.append(`${item.word} `, element("b", item.waiting), " ", since("tabular", item.since_ms));
  return made;
}

function person(item) {
  const made = element("li");
  made.append(element("span", item.name), " ", since("tabular quiet", item.since_ms));
  return made;
}

function colour(holder, word) {
  if (holder.dataset.state === word) return;
  holder.dataset.state = word;
  const mark = holder.querySelector(".mark");
  mark.dataset.state = word;
  write(mark.querySelector("[data-word]"), state.marks[word]);
}

// Amber from three quarters of the target on, red past it: a wait changes colour while nothing arrives.
function tick() {
  for (const span of wall.querySelectorAll("[data-age]")) {
    const ms = age(at(span.dataset.age, state));
    write(span, ms == null ? "–" : face(ms));
  }
  for (const span of wall.querySelectorAll("[data-since]")) write(span, face(now() - Number(span.dataset.since)));
  for (const holder of wall.querySelectorAll("[data-limit]")) {
    const longest = at(holder.dataset.limit, state);
    const ms = age(longest);
    colour(holder, ms == null ? "off" : ms > longest.limit_ms ? "past" : ms > 0.75 * longest.limit_ms ? "near" : "good");
  }
}

function draw() {
  fill(wall, state);
  for (const list of wall.querySelectorAll("[data-list]")) {
    rows(list, at(list.dataset.list, state) || [], list.tagName === "UL" ? person : tier);
  }
  for (const holder of wall.querySelectorAll("[data-level]")) colour(holder, at(holder.dataset.level, state).state);
  show(wall.querySelector('[data-node="empty"]'), state.is_empty);
  tick();
}

function take(next) {
  state = next;
  setNow(next.now_ms);
  draw();
}

// A wall has no use for the rail; whoever hung the screen says so once.
const board = document.querySelector("[data-board]");
const KEPT = "shouwen.board";

function spread(isWide) {
  document.body.classList.toggle("board", isWide);
  board.setAttribute("aria-pressed", String(isWide));
  localStorage.setItem(KEPT, isWide ? "1" : "");
}

board.hidden = false;
board.addEventListener("click", () => spread(!document.body.classList.contains("board")));
spread(localStorage.getItem(KEPT) === "1");

setNow(state.now_ms);
draw();
setInterval(tick, Math.min(500, Math.max(100, 1000 / speed)));
listen("/wall/events", take);
