// What a caller will hear, while it is being written. The server says it, so that page and menu never differ; without
// this script the page shows the same after "check" was pressed.

const WAIT_MS = 350;
const form = document.querySelector("form[data-preview]");
let asked = 0;
let timer = 0;

async function refresh() {
  const turn = ++asked;
  const body = new URLSearchParams(new FormData(form));
  const reply = await fetch(form.dataset.preview, { method: "POST", headers: { Accept: "application/json" }, body }).catch(() => null);
  if (!reply?.ok || turn !== asked) return;
  for (const [language, heard] of Object.entries(await reply.json())) draw(language, heard);
}

function draw(language, heard) {
  const box = form.querySelector(`[data-heard="${language}"]`);
  const lines = heard.heard.map((text) => Object.assign(document.createElement("p"), { textContent: text, className: "said", lang: language }));
  const length = Object.assign(document.createElement("p"), { textContent: heard.length || box.dataset.empty, className: "quiet small" });
  if (heard.is_long) {
    length.className = "state small";
    length.dataset.state = "near";
    length.textContent = `${heard.length} ${box.dataset.long}`;
  }
  box.replaceChildren(...lines, length);
}

if (form) {
  form.addEventListener("input", (event) => {
    if (!event.target.matches("textarea")) return;
    clearTimeout(timer);
    timer = setTimeout(refresh, WAIT_MS);
  });
  if ([...form.querySelectorAll("textarea")].some((field) => field.value)) refresh(); // a draft that came back
}

// Whoever ticks an area means that area.
const some = form?.querySelector('[name="reach"][value="some"]');
for (const box of form?.querySelectorAll('[name="area"]') || []) box.addEventListener("change", () => box.checked && (some.checked = true));
