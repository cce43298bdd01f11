// An import on its way: the bar moves, and the page is shown anew when its state has changed. The work goes on without us.

const EVERY_MS = 700;
const place = document.querySelector("[data-upload]");
const bar = place?.querySelector("progress");
const percent = place?.querySelector("[data-percent]");

async function look() {
  const reply = await fetch(place.dataset.upload, { headers: { Accept: "application/json" } }).catch(() => null);
  const told = reply?.ok ? await reply.json().catch(() => null) : null;
  if (told && told.state !== place.dataset.state) return location.reload();
  if (told) bar.value = told.done;
  if (told && percent) percent.textContent = `${Math.round(told.done)}%`;
  setTimeout(look, EVERY_MS);
}

if (place) setTimeout(look, EVERY_MS);
