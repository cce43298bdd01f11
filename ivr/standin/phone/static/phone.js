// The phone itself: one call at a time, from choosing who calls to the end of the line.
// The page shows what was heard and nothing it guessed; a reload finds the call again as long as it lives.

import { dial, resume } from "./line.js";
import { createVoice } from "./voice.js";
import { createWords } from "./words.js";

const setting = JSON.parse(document.getElementById("setting").textContent);
const byId = (id) => document.getElementById(id);
const [who, people, number, transcript, timer, keypad, speak, words, hangUp, fault] =
  ["who", "people", "number", "transcript", "timer", "keypad", "speak", "words", "hang-up", "fault"].map(byId);
const keys = [...keypad.querySelectorAll("[data-key]")];

const asked = new URLSearchParams(location.search).get("lang");
const kept = { get: (key) => read(localStorage, key), set: (key, value) => write(localStorage, key, value) };
const tongue = createWords(asked || kept.get("phone.language") || "zh");
const voice = createVoice(setting.speed);
const t = (key, values) => tongue.t(key, values);

let line = null;
let stage = "idle";
let wants = "";
let since = 0;
let stopListening = () => {};

function read(store, key) {
  try {
    return store.getItem(`shouwen.${key}`);
  } catch {
    return null;
  }
}

function write(store, key, value) {
  try {
    value === null ? store.removeItem(`shouwen.${key}`) : store.setItem(`shouwen.${key}`, value);
  } catch {
    /* a private window keeps nothing, and that is all right */
  }
}

function enter(next, atMs) {
  if (stage !== next) since = atMs ?? productNow();
  stage = next;
  document.body.dataset.stage = next;
  const isLive = next !== "idle" && next !== "ended";
  const canTalk = isLive && next !== "ringing";
  for (const key of keys) key.disabled = !canTalk;
  for (const one of speak.elements) one.disabled = !canTalk;
  hangUp.disabled = next === "idle";
  hangUp.dataset.does = next === "ended" ? "back" : "hang_up";
  byId("dial").disabled = isLive;
  for (const one of who.querySelectorAll("input")) one.disabled = isLive;
  byId("start").hidden = next !== "idle";
  drawStage();
}

function drawStage() {
  const ended = document.body.dataset.end || "completed";
  const key = stage === "ended" ? `ended.${ended}` : `stage.${stage}`;
  byId("stage-word").textContent = t(tongue.has(key) ? key : "stage.ended");
  const notes = [];
  if (stage !== "idle") notes.push(t("note.as", { who: document.body.dataset.who || "" }));
  if (wants && stage === "menu") notes.push(t(`note.wants_${wants}`));
  byId("stage-note").textContent = notes.join(" · ");
  keypad.classList.toggle("wanted", stage === "menu" && (wants === "keys" || wants === "both"));
  byId("dial").querySelector("[data-t]").textContent = t(stage === "ended" ? "again" : "dial");
  hangUp.querySelector("[data-t]").textContent = t(hangUp.dataset.does || "hang_up");
  tick();
}

const productNow = () => setting.now_ms + (Date.now() - opened) * setting.speed;
const opened = Date.now();

function tick() {
  if (stage === "idle") return void (timer.textContent = "");
  if (stage === "ended") return;
  const seconds = Math.max(0, Math.floor((productNow() - since) / 1000));
  timer.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function put(kind, text) {
  const atEnd = transcript.scrollHeight - transcript.scrollTop - transcript.clientHeight < 80;
  for (const one of transcript.querySelectorAll(".now")) one.classList.remove("now");
  const item = document.createElement("li");
  item.className = kind;
  item.textContent = text;
  transcript.append(item);
  if (atEnd) transcript.scrollTop = transcript.scrollHeight;
  return item;
}

// A prompt said again (the wait goes on) is counted, not repeated down the page.
function putHeard({ text, language }) {
  const last = transcript.lastElementChild;
  if (last?.classList.contains("heard") && last.dataset.text === text) {
    last.dataset.times = Number(last.dataset.times || 1) + 1;
    return;
  }
  const item = put("heard now", text);
  item.dataset.text = text;
  item.lang = language || "";
}

function putEvent(key, values = {}) {
  const item = put("event", t(key, values));
  item.dataset.t = key;
  Object.assign(item.dataset, values);
}

function putKeys(key) {
  const last = transcript.lastElementChild;
  if (last?.classList.contains("keys")) last.textContent += key;
  else put("own keys", key);
}

function complain(text) {
  fault.textContent = text;
  fault.hidden = !text;
}

let lastPlayed = "";

// After a reload the whole call is told again; only what is new is spoken.
const isNews = (heard) => heard.at_ms > productNow() - 4000 * Math.max(1, setting.speed);

const hear = {
  ringing: (heard) => {
    putEvent("event.ringing", { to: heard.text });
    voice.ring();
  },
  answered: (heard) => {
    putEvent("event.answered");
    enter("menu", heard.at_ms);
  },
  said: (heard) => {
    putHeard(heard);
    if (isNews(heard)) voice.say(heard.text, heard.language);
  },
  played: (heard) => {
    if (lastPlayed !== heard.text) putEvent("event.played");
    if (isNews(heard)) voice.play(heard.text);
  },
  gathering: (heard) => {
    const inputs = (heard.text || "dtmf").split(/\s+/);
    wants = inputs.includes("speech") ? (inputs.includes("dtmf") ? "both" : "speech") : "keys";
    drawStage();
    if (wants === "speech") words.focus();
  },
  gathered: () => {
    wants = "";
    voice.silence();
    drawStage();
  },
  beep: (heard) => {
    putEvent("event.beep");
    voice.beep();
    enter("message", heard.at_ms);
    words.focus();
  },
  queued: (heard) => {
    putEvent("event.queued");
    enter("queued", heard.at_ms);
  },
  dequeued: () => {
    putEvent("event.dequeued");
    if (stage === "queued") enter("menu");
  },
  bridged: (heard) => {
    putEvent("event.bridged");
    voice.silence();
    enter("connected", heard.at_ms);
  },
  unbridged: () => {
    putEvent("event.unbridged");
    if (stage === "connected" || stage === "held") enter("menu");
  },
  held: (heard) => {
    putEvent("event.held");
    enter("held", heard.at_ms);
  },
  unheld: (heard) => {
    putEvent("event.unheld");
    voice.silence();
    enter("connected", heard.at_ms);
  },
  muted: () => putEvent("event.muted"),
  ended: (heard) => {
    document.body.dataset.end = heard.text || "completed";
    document.body.dataset.ended = heard.text === "failed" ? "fault" : "";
    putEvent(tongue.has(`ended.${heard.text}`) ? `ended.${heard.text}` : "ended.completed");
    voice.silence();
    write(sessionStorage, "call", null);
    line = null;
    wants = "";
    enter("ended");
    if (document.activeElement === words || document.activeElement === document.body) byId("dial").focus();
  },
};

function take(heard) {
  hear[heard.kind]?.(heard);
  lastPlayed = heard.kind === "played" ? heard.text : heard.kind === "paused" ? lastPlayed : "";
}

function follow(opened) {
  line = opened;
  stopListening();
  stopListening = line.listen(take, (isLost) => complain(isLost && line ? t("fault.lost") : ""));
}

const person = () => people.querySelector('input[name="person"]:checked');
const tidy = (text) => text.trim().replace(/[\s()-]/g, "");

function caller() {
  const chosen = person();
  return chosen?.value ? chosen.value : tidy(number.value);
}

function called() {
  return who.querySelector('input[name="line"]:checked')?.value || tidy(byId("line-number")?.value || "");
}

function nameOfCaller() {
  const chosen = person();
  return chosen?.value ? chosen.closest(".person").querySelector(".person-name").textContent : number.value.trim();
}

async function startCall(event) {
  event?.preventDefault();
  if (line) return;
  const [from, to] = [caller(), called()];
  if (!/^\+?\d{3,15}$/.test(from) || !/^\+?\d{3,15}$/.test(to)) {
    complain(t("fault.number"));
    number.focus();
    return;
  }
  complain("");
  transcript.replaceChildren();
  document.body.dataset.who = nameOfCaller();
  document.body.dataset.ended = "";
  enter("ringing");
  try {
    follow(await dial(from, to));
    write(sessionStorage, "call", JSON.stringify([line.sid, document.body.dataset.who]));
    byId("stage-word").focus({ preventScroll: true });
  } catch (refused) {
    enter("idle");
    complain(t("fault.dial", { why: refused.message }));
  }
}

async function press(key) {
  const button = keys.find((one) => one.dataset.key === key);
  if (!line || !button || button.disabled) return;
  button.classList.add("down");
  setTimeout(() => button.classList.remove("down"), 160);
  voice.key(key);
  voice.silence();
  putKeys(key);
  await line.press(key).catch(() => complain(t("fault.gone")));
}

async function sayWords(event) {
  event.preventDefault();
  const text = words.value.trim();
  if (!line || !text) return;
  words.value = "";
  put("own", text);
  voice.silence();
  await line.speak(text).catch(() => complain(t("fault.gone")));
}

async function endCall() {
  const ending = line;
  if (!ending) leaveEnded();
  else await ending.hangUp().catch(() => complain(t("fault.gone")));
}

function leaveEnded() {
  if (stage !== "ended") return;
  transcript.replaceChildren();
  enter("idle");
  person()?.focus();
}

function turnSound(on) {
  voice.turn(on);
  kept.set("phone.sound", on ? "on" : "off");
  byId("sound").setAttribute("aria-pressed", String(on));
  byId("sound-word").dataset.t = on ? "sound_on" : "sound_off";
  byId("sound-word").textContent = t(byId("sound-word").dataset.t);
}

function turnLanguage(language) {
  tongue.language = language;
  kept.set("phone.language", language);
  tongue.apply(document);
  document.title = `${t("title")} · 首问`;
  byId("language").textContent = t("language");
  byId("language").lang = language === "zh" ? "en" : "zh-CN";
  drawStage();
}

function filter() {
  const wanted = byId("search").value.trim().toLowerCase();
  let found = 0;
  for (const one of people.querySelectorAll("[data-words]")) {
    one.hidden = !one.dataset.words.toLowerCase().includes(wanted);
    found += one.hidden ? 0 : 1;
  }
  byId("nobody").hidden = found > 0 || !wanted;
}

// Keys: the keyboard is the keypad, except inside a text.

const shortcuts = {
  m: () => turnSound(byId("sound").getAttribute("aria-pressed") !== "true"),
  t: () => !words.disabled && words.focus(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const isTyping = event.target.matches('input:not([type="radio"])');
  if (event.key === "Escape") {
    event.preventDefault();
    return void endCall();
  }
  if (isTyping) return;
  if (/^[0-9*#]$/.test(event.key)) return void press(event.key);
  const shortcut = shortcuts[event.key.toLowerCase()];
  if (shortcut) {
    event.preventDefault();
    shortcut();
  } else if (event.key === "Enter" && !line && !event.target.closest("button, form")) {
    startCall(event);
  }
});

who.addEventListener("submit", startCall);
speak.addEventListener("submit", sayWords);
keypad.addEventListener("click", (event) => event.target.dataset.key && press(event.target.dataset.key));
hangUp.addEventListener("click", endCall);
byId("sound").addEventListener("click", shortcuts.m);
byId("language").addEventListener("click", () => turnLanguage(tongue.language === "zh" ? "en" : "zh"));
byId("search").addEventListener("input", filter);
number.addEventListener("focus", () => {
  people.querySelector('input[name="person"][value=""]').checked = true;
});
byId("stage").addEventListener("click", leaveEnded);
setInterval(tick, 250);

turnSound(kept.get("phone.sound") !== "off");
turnLanguage(tongue.language);
enter("idle");

const unfinished = JSON.parse(read(sessionStorage, "call") || "null");
if (unfinished) {
  const [sid, name] = unfinished;
  const found = await resume(sid).catch(() => null);
  if (found) {
    document.body.dataset.who = name;
    enter("ringing");
    follow(found);
  } else {
    write(sessionStorage, "call", null);
  }
}
