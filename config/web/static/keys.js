// The keyboard. What has data-key is done by that key; "g d" is one key after the other, "Ctrl Enter" both at once.
// `?` lists what the page offers now: every data-key that can be seen, and every <kbd> inside something to press.
// Inside a text only keys with Ctrl are ours; Escape closes what is open and never touches what was typed.

const WAIT_MS = 1200;
const pressable = "a, button, label, summary";

const dialog = document.querySelector("[data-keys]");
const opener = document.querySelector("[data-keys-open]");
let begun = "";
let forget = 0;

const isSeen = (element) => element.checkVisibility?.({ visibilityProperty: true }) ?? element.offsetParent !== null;
const isText = (element) =>
  element.isContentEditable || element.matches?.("textarea, select, input:not([type=radio], [type=checkbox], [type=button], [type=submit])");

function nameOf(event) {
  const typed = event.key === "？" ? "?" : event.key; // a Chinese keyboard's own question mark
  const key = typed.length === 1 ? typed.toLowerCase() : typed;
  return event.ctrlKey ? `Ctrl ${key}` : key;
}

function start(prefix) {
  begun = prefix;
  clearTimeout(forget);
  forget = setTimeout(() => (begun = ""), WAIT_MS);
}

function keyed() {
  return [...document.querySelectorAll("[data-key]")].filter((element) => isSeen(element) && !element.disabled);
}

function act(element) {
  if (element.matches("input, textarea, select")) element.focus();
  else element.click();
}

function press(event) {
  if (event.altKey || event.metaKey || event.isComposing || event.repeat) return;
  if (isText(event.target) && !event.ctrlKey) return;
  if (dialog?.open) {
    // The page behind does not hear keys that were meant for the list.
    if (nameOf(event) === "?") dialog.close();
    event.stopImmediatePropagation();
    return;
  }
  const pressed = nameOf(event);
  const whole = begun ? `${begun} ${pressed}` : pressed;
  const wasBegun = Boolean(begun);
  begun = "";
  const found = keyed().find((element) => element.dataset.key.toLowerCase() === whole.toLowerCase());
  const opens = !found && keyed().some((element) => element.dataset.key.toLowerCase().startsWith(`${whole.toLowerCase()} `));
  if (opens && !event.ctrlKey) start(whole);
  if (!found && !opens && !wasBegun) return;
  event.preventDefault();
  event.stopImmediatePropagation(); // half of "g d" must not be taken for another key of the page
  if (found) act(found);
}

function labelOf(element) {
  if (element.dataset.keyName) return element.dataset.keyName;
  const copy = element.cloneNode(true);
  for (const extra of copy.querySelectorAll("kbd, [aria-hidden=true]")) extra.remove();
  return copy.textContent.replace(/\s+/g, " ").trim() || element.getAttribute("aria-label") || element.title || "";
}

function offers() {
  const found = new Map();
  for (const element of keyed()) found.set(element.dataset.key, labelOf(element));
  for (const cap of document.querySelectorAll("kbd")) {
    const holder = cap.closest(pressable);
    const key = cap.textContent.trim();
    if (holder && isSeen(cap) && !cap.closest("[data-key], [data-keys]") && !found.has(key)) found.set(key, labelOf(holder));
  }
  return [...found].filter(([, label]) => label);
}

function row([key, label]) {
  const made = document.createElement("div");
  const term = document.createElement("dt");
  for (const part of key.split(" ")) term.append(Object.assign(document.createElement("kbd"), { textContent: part }));
  made.append(term, Object.assign(document.createElement("dd"), { textContent: label }));
  return made;
}

function show() {
  const found = offers();
  const list = dialog.querySelector("dl");
  list.replaceChildren(...found.map(row));
  if (!found.length) list.textContent = dialog.dataset.empty;
  dialog.showModal();
}

if (dialog) {
  addEventListener("keydown", press, { capture: true });
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  if (opener) {
    opener.hidden = false;
    opener.addEventListener("click", show);
  }
}

// On a narrow screen the rail lies down and may be longer than the screen: the place one is at stands in sight.
document.querySelector(".rail [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
