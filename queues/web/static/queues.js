// The live half of the queues. Rows are redrawn when they change; the chosen call stays chosen wherever it moves.
import { face, now, setNow, speed } from "./ages.js";
import { listen } from "./live.js";
import { element, rows, show, write } from "./slots.js";

const page = document.getElementById("queues");
const bar = document.getElementById("change");
const chosen = bar.querySelector("[data-chosen]");
const csrf = bar.elements.csrf.value;
let state = JSON.parse(document.getElementById("queues-state").textContent);
let chosenId = idOf(document.querySelector('input[name="call"]:checked')?.value);

function idOf(choice) {
  return choice ? choice.split("~", 1)[0] : "";
}

function call(item) {
  const made = element("li");
  const label = element("label");
  const choice = element("input");
  Object.assign(choice, { type: "radio", name: "call", value: item.choice, checked: item.call_id === chosenId });
  choice.setAttribute("form", "change");
  const who = element("span", `${item.customer} `, "queue-who");
  const tier = element("span", item.tier, "tier");
  tier.dataset.rank = item.rank;
  who.append(tier, " ", element("span", item.matter, "quiet"));
  if (item.mark) who.append(" ", element("span", item.mark, "queue-mark"));
  const age = element("span", "", "queue-age tabular");
  age.dataset.since = item.since_ms;
  label.append(choice, element("span", item.place, "queue-place tabular"), who, age, element("span", item.why, "queue-why quiet"));
  const link = element("a", "→", "quiet");
  link.href = item.href;
  made.append(label, link);
  return made;
}

function agentOf(list) {
  return (item) => {
    const made = element("li");
    made.append(element("span", item.name), " ", element("span", item.state_word, "quiet"));
    if (item.is_lent) made.append(" ", element("span", item.lent_word, "queue-lent"), " ", takeBack(list, item.agent_id));
    return made;
  };
}

function takeBack(list, agentId) {
  const form = element("form");
  Object.assign(form, { method: "post", action: list.dataset.action });
  for (const [name, value] of [["csrf", csrf], ["agent", agentId]]) {
    const field = element("input");
    Object.assign(field, { type: "hidden", name, value });
    form.append(field);
  }
  const button = element("button", list.dataset.takeBack, "link");
  Object.assign(button, { name: "act", value: "take_back" });
  form.append(button);
  return form;
}

function drawQueue(section, queue) {
  const hadFocus = document.activeElement?.name === "call" && section.contains(document.activeElement);
  write(section.querySelector("[data-count]"), queue.count_word);
  write(section.querySelector("[data-callbacks]"), queue.callbacks);
  const mark = section.querySelector("[data-mark]");
  mark.dataset.state = queue.mark;
  write(mark, queue.state_word);
  show(section.querySelector("[data-open]"), queue.state === "closed");
  show(section.querySelector("[data-close]"), queue.state !== "closed");
  rows(section.querySelector("[data-calls]"), queue.calls, call);
  if (hadFocus) section.querySelector('input[name="call"]:checked')?.focus();
  const more = section.querySelector("[data-more]");
  show(more, Boolean(queue.more));
  write(more, queue.more);
  const agents = section.querySelector("[data-agents]");
  rows(agents, queue.agents, agentOf(agents));
  show(section.querySelector("[data-no-agents]"), queue.agents.length === 0);
}

function drawChosen() {
  const found = state.queues.flatMap((queue) => queue.calls).find((item) => item.call_id === chosenId);
  bar.toggleAttribute("data-has", Boolean(chosenId));
  if (!chosenId) write(chosen, chosen.dataset.none);
  else write(chosen, found ? `${found.customer} · ${found.tier} · ${found.why}` : chosen.dataset.gone);
}

function tick() {
  for (const span of page.querySelectorAll("[data-since]")) write(span, face(now() - Number(span.dataset.since)));
}

function draw() {
  for (const queue of state.queues) {
    const section = page.querySelector(`[data-queue="${CSS.escape(queue.id)}"]`);
    if (section) drawQueue(section, queue);
  }
  drawChosen();
  tick();
}

page.addEventListener("change", (event) => {
  if (event.target.name !== "call") return;
  chosenId = idOf(event.target.value);
  drawChosen();
});

setNow(state.now_ms);
draw();
setInterval(tick, Math.min(500, Math.max(100, 1000 / speed)));
listen("/queues/events", (next) => {
  state = next;
  setNow(next.now_ms);
  draw();
});
