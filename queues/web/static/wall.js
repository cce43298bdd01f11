// The live half of the wallboard. Queues keep their rows; people, tiers and alarms are redrawn only when they change.
import { face, now, setNow, speed } from "./ages.js";
import { listen } from "./live.js";
import { age, at, element, fill, rows, show, write } from "./slots.js";

const wall = document.getElementById("wall");
const words = document.getElementById("wall-words").dataset;
let state = JSON.parse(document.getElementById("wall-state").textContent);

function since(className, sinceMs) {
  const made = element("span", "", className);
  made.dataset.since = sinceMs;
  return made;
}

function tier(item) {
  const made = element("span", null, "tier");
  made.dataset.rank = item.rank;
  made.append(`${item.word} `, element("b", item.waiting));
  return made;
}

function person(item) {
  const made = element("li");
  made.append(element("span", item.name), " ", since("tabular quiet", item.since_ms));
  return made;
}

// The same as the page was written with; the form works without this file, too.
function alarm(item) {
  const made = element("li");
  made.dataset.alarm = item.id;
  made.toggleAttribute("data-seen", item.seen !== "");
  const mark = element("span", null, "mark");
  mark.dataset.state = "past";
  const what = element("p", null, "what");
  what.append(mark, " ", element("b", item.kind), ` ${item.place}`);
  made.append(what, since("tabular", item.since_ms), element("p", item.detail, "how"), item.seen ? element("p", item.seen, "seen quiet") : acknowledging(item.id));
  return made;
}

function acknowledging(id) {
  const form = element("form");
  form.method = "post";
  form.action = `/wall/alarms/${id}`;
  const csrf = element("input");
  Object.assign(csrf, { type: "hidden", name: "csrf", value: document.querySelector('meta[name="csrf"]').content });
  form.append(csrf, element("button", words.acknowledge, "plain"));
  return form;
}

const makers = { tiers: tier, people: person, hours: (text) => element("span", text), shown: alarm };

function colour(holder, word) {
  if (holder.dataset.state === word) return;
  holder.dataset.state = word;
  const mark = holder.querySelector(".mark");
  mark.dataset.state = word;
  write(mark.querySelector("[data-word]"), state.marks[word]);
}

// A wait changes colour while nothing arrives.
function tick() {
  for (const span of wall.querySelectorAll("[data-age]")) {
    const ms = age(at(span.dataset.age, state));
    write(span, ms == null ? "–" : face(ms));
  }
  for (const span of wall.querySelectorAll("[data-since]")) write(span, face(now() - Number(span.dataset.since)));
  for (const holder of wall.querySelectorAll("[data-limit]")) {
    const longest = at(holder.dataset.limit, state);
    const ms = age(longest);
    colour(holder, ms == null ? "off" : ms > longest.limit_ms ? "past" : ms > longest.calm_ms ? "near" : "good");
  }
}

function draw() {
  fill(wall, state);
  for (const list of wall.querySelectorAll("[data-list]")) {
    rows(list, at(list.dataset.list, state) || [], makers[list.dataset.list.split(".").pop()]);
  }
  for (const line of wall.querySelectorAll("[data-points]")) {
    const points = at(line.dataset.points, state);
    if (line.getAttribute("points") !== points) line.setAttribute("points", points);
  }
  for (const holder of wall.querySelectorAll("[data-level]")) colour(holder, at(holder.dataset.level, state).state);
  show(wall.querySelector('[data-node="empty"]'), state.is_empty);
  show(wall.querySelector("[data-calm]"), state.alarms.count === 0);
  show(wall.querySelector('[data-list="alarms.shown"]'), state.alarms.count > 0);
  tellAlarms();
  tick();
}

// An alarm is told once on this screen, also when the page is opened anew: it flashes, it is read out, and sounds where
// somebody switched that on. What is kept are the alarms that are still raised.
const TOLD = "shouwen.alarms";

function tellAlarms() {
  const known = new Set(JSON.parse(localStorage.getItem(TOLD) || "[]"));
  const fresh = state.alarms.unseen.filter((id) => !known.has(id));
  const kept = JSON.stringify(state.alarms.unseen);
  if (localStorage.getItem(TOLD) !== kept) localStorage.setItem(TOLD, kept);
  if (!fresh.length) return;
  const lines = state.alarms.shown.filter((each) => fresh.includes(each.id));
  write(document.querySelector("[data-told]"), lines.map((each) => `${each.kind} ${each.place} ${each.detail}`).join("; "));
  for (const each of lines) wall.querySelector(`[data-alarm="${each.id}"]`)?.classList.add("fresh");
  ring();
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

// Browsers let a page sound only after somebody has touched it, so the switch is what allows it.
const sound = document.querySelector("[data-sound]");
const SOUNDS = "shouwen.sound";
let speaker = null;

function allowSound(isOn) {
  sound.setAttribute("aria-pressed", String(isOn));
  localStorage.setItem(SOUNDS, isOn ? "1" : "");
  if (isOn) speaker ??= new AudioContext();
  if (isOn) speaker.resume();
}

function ring() {
  if (sound.getAttribute("aria-pressed") !== "true" || speaker?.state !== "running") return;
  for (const [from, pitch] of [[0, 880], [0.25, 660]]) {
    const tone = new OscillatorNode(speaker, { frequency: pitch });
    const gain = new GainNode(speaker, { gain: 0.15 });
    tone.connect(gain).connect(speaker.destination);
    tone.start(speaker.currentTime + from);
    tone.stop(speaker.currentTime + from + 0.2);
  }
}

sound.hidden = false;
sound.addEventListener("click", () => allowSound(sound.getAttribute("aria-pressed") !== "true"));
allowSound(localStorage.getItem(SOUNDS) === "1");

setNow(state.now_ms);
draw();
setInterval(tick, Math.min(500, Math.max(100, 1000 / speed)));
listen("/wall/events", take);
