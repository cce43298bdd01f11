// The live half of the desk. The server sends one value; every slot of the page is filled from it, in place, so nothing jumps.
// Typed text is never overwritten: a note belongs to its call and is kept in this browser until the server has it.

import { face, now, setNow, speed, tick as tickAges } from "./ages.js";
import { listen } from "./live.js";
import { age, at, element, fill, rows, show, write } from "./slots.js";

const desk = document.getElementById("desk");
const work = desk.querySelector('[data-node="work"]');
const away = document.getElementById("away");
const pass = document.getElementById("pass");
const owed = document.getElementById("owed");
const passTo = document.getElementById("pass-to");
const note = work.elements.note;

let state = JSON.parse(document.getElementById("desk-state").textContent);
let phone = null;
const IDLE = new Set(["signed_out", "away", "idle"]);

const node = (name) => desk.querySelector(`[data-node="${name}"]`);
const act = (name) => desk.querySelector(`[data-do="${name}"]`);

function tick() {
  for (const span of desk.querySelectorAll("[data-age]")) {
    const ms = age(at(span.dataset.age, state));
    write(span, ms == null ? (span.dataset.age === "queue.clock" ? "–" : "") : face(ms));
  }
  const { until_ms, length_ms } = state.hero.clock || {};
  const counts = until_ms != null && length_ms > 0;
  const left = counts ? Math.max(0, Math.min(1, (until_ms - now()) / length_ms)) : 1;
  show(node("bar"), counts);
  node("bar").firstElementChild.style.transform = `scaleX(${left})`;
  node("clock").toggleAttribute("data-near", left < 0.25);
}

function line(item) {
  const link = element("a");
  link.href = item.href;
  link.append(element("span", item.at, "tabular"), " ", element("span", item.text), " ", element("span", item.note, "quiet"));
  const row = element("li");
  row.append(link);
  return row;
}

function fact(item) {
  const row = element("div");
  row.append(element("dt", item.label), element("dd", item.text));
  return row;
}

function mark(item) {
  const row = element("li", item.text, "desk-mark");
  row.dataset.kind = item.kind;
  return row;
}

function owedRow(item) {
  const press = element("button");
  Object.assign(press, { name: "entry_id", value: item.entry_id, disabled: !(item.may_call && state.owed.may_call) });
  press.dataset.key = item.key;
  const clock = element("span");
  clock.dataset.sinceInstant = item.since_ms;
  const mark = element("span", null, "mark tabular");
  mark.dataset.state = item.mark;
  mark.append(clock);
  press.append(element("kbd", item.key), " ", element("span", item.who, "desk-owed-who"), " ", mark, " ", element("span", item.note, "quiet"), " ", element("span", item.state, "quiet"));
  const row = element("li");
  row.append(press);
  return row;
}

// Whether they can be pressed is the presence's; the list itself is drawn only when it has changed.
function drawOwed() {
  if (!owed || !state.owed) return;
  for (const press of owed.querySelectorAll("[name=entry_id]")) {
    const item = state.owed.rows.find((each) => each.entry_id === press.value);
    press.disabled = !(item?.may_call && state.owed.may_call);
  }
  node("owed-count").dataset.state = state.owed.mark;
  show(node("owed-hint"), !state.owed.may_call && state.owed.rows.length > 0);
  show(node("owed-none"), !state.owed.rows.length);
  tickAges(owed);
}

const makers = { "owed.rows": owedRow, why: (text) => element("li", text), "customer.facts": fact, "hero.marks": mark, "hero.told": fact };

function drawLists() {
  for (const list of desk.querySelectorAll("[data-list]")) {
    rows(list, at(list.dataset.list, state) || [], makers[list.dataset.list] || line);
  }
}

function drawCustomer() {
  show(node("customer"), Boolean(state.customer));
  show(node("nobody"), !state.customer);
  if (state.customer) node("file").href = state.customer.href;
  show(node("tickets-empty"), !state.customer?.tickets.length);
  show(node("calls-empty"), !state.customer?.calls.length);
  show(node("mine"), !state.work && state.stage !== "offer");
  show(node("mine-empty"), !state.mine.length);
}

function drawActions() {
  desk.dataset.stage = state.stage;
  node("presence").dataset.state = state.presence.state;
  show(node("tier"), Boolean(state.hero.tier));
  node("tier").dataset.rank = state.hero.rank ?? "";
  show(node("class-code"), Boolean(state.hero.class_code));
  show(node("advice"), Boolean(state.hero.advice));
  show(node("clock"), Boolean(state.hero.clock));
  show(node("why"), state.why.length > 0);
  show(node("offer-actions"), state.stage === "offer");
  show(act("accept"), Boolean(phone));
  show(node("answer-phone"), !phone);
  if (state.offer) desk.querySelector('[data-action="decline"]').action = state.offer.decline_href;
  show(desk.querySelector('[data-when="ready"]'), state.may.ready);
  show(desk.querySelector('[data-when="away"]'), state.may.away);
  show(act("hang-up"), Boolean(phone) && (state.stage === "talking" || state.stage === "connecting"));
  show(act("finish"), state.stage === "wrap_up");
  show(act("extend"), state.may.extend);
}

// The list is built anew only when it has changed: whoever is choosing keeps what he has chosen.
let passed = "";

function drawPass() {
  show(pass, Boolean(state.pass));
  if (!state.pass) pass.open = false;
  const asked = JSON.stringify(state.pass?.groups || []);
  if (asked === passed) return;
  passed = asked;
  const chosen = passTo.value;
  passTo.replaceChildren(
    ...(state.pass?.groups || []).map((group) => {
      const made = element("optgroup");
      made.label = group.word;
      made.append(...group.options.map((option) => Object.assign(element("option", option.word), { value: option.id })));
      return made;
    }),
  );
  passTo.value = chosen;
}

function drawHold() {
  show(node("hold"), Boolean(state.hold));
  if (!state.hold) return;
  act("hold").value = state.hold.next;
  show(act("hand-over"), state.hold.may_hand_over);
}

function draw() {
  fill(desk, state);
  drawActions();
  drawPass();
  drawHold();
  drawLists();
  drawOwed();
  drawCustomer();
  drawWork();
  tick();
  document.title = state.title;
}

const keep = (callId) => `shouwen.note.${callId}`;

function kept(callId) {
  try {
    return JSON.parse(localStorage.getItem(keep(callId)) || "null");
  } catch {
    return null;
  }
}

function drawWork() {
  const callId = state.work?.call_id || "";
  show(work, Boolean(callId));
  if (!callId || work.elements.call_id.value === callId && work.dataset.drawn === callId) return;
  work.dataset.drawn = callId;
  work.elements.call_id.value = callId;
  const draft = kept(callId) || state.work;
  note.value = draft.note || "";
  for (const choice of work.querySelectorAll('[name="disposition"]')) choice.checked = choice.value === draft.disposition;
  write(node("saved"), "");
}

function draft() {
  return { call_id: work.elements.call_id.value, disposition: new FormData(work).get("disposition") || "", note: note.value };
}

let saving = 0;

function remember() {
  const typed = draft();
  if (!typed.call_id) return;
  localStorage.setItem(keep(typed.call_id), JSON.stringify(typed));
  clearTimeout(saving);
  saving = setTimeout(() => saveDraft(typed), 1200);
}

async function saveDraft(typed) {
  const reply = await post("/desk/note", typed, { quiet: true });
  if (reply?.ok) write(node("saved"), reply.said);
}

function complain(words) {
  write(node("error"), words || "");
  show(node("error"), Boolean(words));
}

async function post(href, values, { quiet = false } = {}) {
  try {
    const reply = await fetch(href, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRF-Token": desk.dataset.csrf },
      body: JSON.stringify(values),
    });
    if (reply.status === 401 || reply.redirected) return location.assign(location.href);
    const told = await reply.json();
    if (!quiet) complain(told.ok ? "" : told.said);
    if (told.desk) take(told.desk);
    return told;
  } catch {
    if (!quiet) complain(desk.dataset.lost);
    return null;
  }
}

async function finish() {
  const typed = draft();
  const told = await post("/desk/wrap-up", typed);
  if (told?.ok && told.noted) localStorage.removeItem(keep(typed.call_id));
  else if (told?.field) work.elements[told.field]?.focus?.() ?? work.querySelector(`[name="${told.field}"]`)?.focus();
}

// Enter may come before the phone rings: then it is answered when it does.
let wished = "";

async function accept() {
  const offerId = state.offer?.offer_id;
  if (!phone || !offerId) return;
  const isAnswered = await phone.accept();
  wished = isAnswered ? "" : offerId;
  complain(isAnswered ? "" : desk.dataset.notRinging);
}

function rung() {
  if (wished && wished === state.offer?.offer_id) accept();
  draw();
}

const decline = () => state.offer && post(state.offer.decline_href, {});

async function putThrough(href = "/desk/transfer") {
  if (!passTo.value || !state.pass) return passTo.focus();
  if (work.elements.call_id.value) saveDraft(draft());
  const told = await post(href, { call_id: state.pass.call_id, to: passTo.value });
  if (told?.ok) pass.open = false;
}

const extend = () => post("/desk/wrap-up/extend", {});

async function ringBack(entryId) {
  const told = await post("/abandoned/call", { entry_id: entryId || "" });
  if (told?.ok) owed.open = false;
}

function toggleAway() {
  if (state.may.ready) return post("/desk/presence", { presence: "ready" });
  away.open = !away.open;
  if (away.open) away.querySelector(".desk-menu button").focus();
}

desk.addEventListener("submit", (event) => {
  const form = event.target.closest("form");
  const asked = form?.dataset.action;
  if (!asked) return;
  event.preventDefault();
  const button = event.submitter;
  if (asked === "decline") decline();
  else if (asked === "owed") ringBack(button?.value);
  else if (asked === "transfer") putThrough(button?.dataset.do === "ask-first" ? "/desk/consult" : undefined);
  else if (asked === "hold") {
    const about = { call_id: state.work?.call_id || "" };
    if (button?.dataset.do === "hand-over") post("/desk/hand-over", about);
    else post("/desk/hold", { ...about, is_held: state.hold?.next || "1" });
  }
  else if (asked === "wrap-up") button?.dataset.do === "extend" ? extend() : finish();
  else if (asked === "presence") {
    away.open = false;
    post("/desk/presence", button.name === "away" ? { presence: "away", reason: button.value } : { presence: button.value });
  }
});
act("accept").addEventListener("click", accept);
pass.addEventListener("toggle", () => pass.open && passTo.focus());
// The digits are the open menu's: one is open at a time.
const menus = [away, pass, owed].filter(Boolean);
for (const menu of menus) {
  menu.addEventListener("toggle", () => menu.open && menus.forEach((other) => other !== menu && (other.open = false)));
}
owed?.addEventListener("toggle", () => owed.open && (owed.querySelector("button:not(:disabled)") || owed.querySelector("a")).focus());
act("hang-up").addEventListener("click", () => phone?.hangUp());
work.addEventListener("input", remember);

// Keys are on the buttons themselves (data-key). These few cannot be: Enter belongs to whatever is focused first, and F2
// works while a note is being typed.
document.addEventListener("keydown", (event) => {
  const isTyping = event.target.matches("textarea, select, input:not([type=radio])");
  if (event.key === "Enter" && event.target === passTo) {
    event.preventDefault();
    putThrough();
  } else if (event.key === "Escape") {
    for (const menu of menus) menu.open = false;
    if (isTyping) event.target.blur();
  } else if (event.key === "F2" && isTyping) {
    event.preventDefault();
    toggleAway();
  } else if (event.key === "Enter" && !event.ctrlKey && !isTyping && !event.target.matches("button, a, summary")) {
    event.preventDefault();
    if (state.stage === "offer") accept();
    else if (state.stage === "wrap_up") finish();
  } else if (owed && state.stage === "offer" && !isTyping && !event.ctrlKey && /^[1-9]$/.test(event.key)) {
    complain(desk.dataset.numberNow); // it was meant for the list, which the offer has just closed
  }
});

// The list stays while its reader makes himself ready for it.
document.addEventListener("click", (event) => {
  const isPresence = Boolean(event.target.closest('[data-action="presence"]'));
  for (const menu of menus) if (menu.open && !menu.contains(event.target) && !(menu === owed && isPresence)) menu.open = false;
});

function take(next) {
  if (next.now_ms < state.now_ms) return; // an older picture overtaken by a newer one
  if (next.stage !== state.stage) {
    complain("");
    if (owed && !IDLE.has(next.stage)) owed.open = false; // an Enter is for whoever calls now
  }
  state = next;
  setNow(next.now_ms);
  draw();
}

// A note whose call had no record yet, or that was typed while the server was away, is sent again until it is safe.
async function sendKept() {
  for (const key of Object.keys(localStorage).filter((name) => name.startsWith(keep("")))) {
    const typed = kept(key.slice(keep("").length));
    if (!typed?.note || typed.call_id === state.work?.call_id) continue;
    const told = await post("/desk/note", typed, { quiet: true });
    if (told?.noted || told?.ok === false) localStorage.removeItem(key);
  }
}

async function pickUpPhone() {
  const { connectSoftphone } = await import("./softphone.js");
  phone = connectSoftphone({ url: desk.dataset.softphone, identity: desk.dataset.phone, onRinging: rung, onEnded: draw });
  draw();
}

const BEAT_MS = 15000;
let beatAt = 0;

function beat() {
  beatAt = Date.now();
  post("/desk/beat", {}, { quiet: true });
}

// A browser slows the timers of a tab that nobody looks at to one a minute, which would look as if the agent had
// gone. What comes over the stream is not slowed, so the desk beats by that too.
function beatIfDue() {
  if (Date.now() - beatAt >= BEAT_MS) beat();
}

setNow(state.now_ms);
draw();
setInterval(tick, Math.min(250, Math.max(100, 1000 / speed)));
setInterval(beat, BEAT_MS);
setInterval(sendKept, 4 * BEAT_MS);
beat();
sendKept();
listen("/desk/events", {
  message(value, event) {
    take(value, event);
    beatIfDue();
  },
  beat: beatIfDue,
});
if (desk.dataset.softphone) pickUpPhone();
