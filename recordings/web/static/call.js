// The players of one call: speed, ten seconds back and forth, and a word when the audio cannot be played.

const players = [...document.querySelectorAll("[data-player]")].filter((player) => player.querySelector("audio"));

function skip(audio, seconds) {
  audio.currentTime = Math.max(0, Math.min(audio.duration || 0, audio.currentTime + seconds));
}

function choose(player, rate) {
  player.querySelector("audio").playbackRate = Number(rate);
  for (const button of player.querySelectorAll("[data-rate]")) button.setAttribute("aria-pressed", String(button.dataset.rate === rate));
}

for (const player of players) {
  const audio = player.querySelector("audio");
  player.querySelector("[data-keys]").hidden = false;
  player.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (button?.dataset.skip) skip(audio, Number(button.dataset.skip));
    if (button?.dataset.rate) choose(player, button.dataset.rate);
  });
  audio.addEventListener("error", () => (player.querySelector("[data-broken]").hidden = false));
}

// The arrows belong to the player that is playing, else to the first.
document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.target.matches("input, textarea, select, audio")) return;
  const seconds = { ArrowLeft: -10, ArrowRight: 10 }[event.key];
  const player = players.find((each) => !each.querySelector("audio").paused) || players[0];
  if (!seconds || !player) return;
  event.preventDefault();
  skip(player.querySelector("audio"), seconds);
});
