// What was typed survives a reload, a crash and a lost session: <form data-draft="ticket-T000042">.
// Text is kept in this browser while it is typed. Sending sets it aside; the next page drops it, unless that page is
// the one which says that nothing was done (<meta name="drafts" content="kept">).

const keyOf = (name) => `shouwen.draft.${name}`;
const SENT = "shouwen.sent";

function read(store, key) {
  try {
    return JSON.parse(store.getItem(key) || "null");
  } catch {
    return null;
  }
}

function fields(form) {
  return [...form.elements].filter((field) => field.name && field.name !== "csrf" && field.matches("textarea, input:not([type=hidden], [type=password], [type=file]), select"));
}

function keep(form) {
  const typed = {};
  for (const field of fields(form)) {
    if (field.matches("[type=checkbox]")) {
      typed[field.name] = [...(typed[field.name] || []), ...(field.checked ? [field.value] : [])]; // several may share a name
    } else if (field.matches("[type=radio]")) {
      if (field.checked) typed[field.name] = field.value;
    } else typed[field.name] = field.value;
  }
  localStorage.setItem(keyOf(form.dataset.draft), JSON.stringify(typed));
}

function restore(form) {
  const typed = read(localStorage, keyOf(form.dataset.draft));
  if (!typed) return;
  for (const field of fields(form)) {
    if (!(field.name in typed)) continue;
    if (field.matches("[type=checkbox]")) field.checked = [typed[field.name]].flat().includes(field.value);
    else if (field.matches("[type=radio]")) field.checked = field.value === typed[field.name];
    else field.value = typed[field.name];
  }
}

function setAside(form) {
  const key = keyOf(form.dataset.draft);
  sessionStorage.setItem(SENT, JSON.stringify({ key, typed: localStorage.getItem(key) }));
  localStorage.removeItem(key);
}

const sent = read(sessionStorage, SENT);
sessionStorage.removeItem(SENT);
if (sent?.typed && document.querySelector('meta[name="drafts"][content="kept"]')) localStorage.setItem(sent.key, sent.typed);

for (const form of document.querySelectorAll("form[data-draft]")) {
  restore(form);
  form.addEventListener("input", () => keep(form));
  form.addEventListener("submit", () => setAside(form));
}
