// One event stream a page. While it is up the page is live; when it breaks the page says since when, and comes back by itself.
//
//   import { listen } from "./live.js";
//   listen("/wall/events", (value) => draw(value));                 every unnamed event, its data read as JSON
//   listen("/desk/events", { desk: draw, offer: ring });            by event name
//
// The first event after each (re)connection is a whole picture, so nothing has to be replayed. Others may follow the
// state by the event "connection" of document: event.detail.state is live, lost or expired.

const RETRY_FIRST_MS = 1000;
const RETRY_MOST_MS = 15000;
const SILENCE_MS = 35000; // the server says something every 10 s, and a dead line says nothing at all

const sign = document.querySelector("[data-connection]");
let lostAt = null;

function timeOf(instant) {
  return new Intl.DateTimeFormat(document.documentElement.lang, { timeStyle: "medium" }).format(instant);
}

function tell(state) {
  if (state === "live") lostAt = null;
  else lostAt ??= new Date();
  document.body.toggleAttribute("data-connection-lost", state !== "live");
  document.dispatchEvent(new CustomEvent("connection", { detail: { state, lostAt } }));
  if (!sign || (sign.dataset.state === state && !sign.hidden)) return;
  sign.dataset.state = state;
  sign.hidden = false;
  sign.textContent = state === "live" ? sign.dataset.live : sign.dataset[state].replace("{time}", timeOf(lostAt));
  if (state === "lost") sign.title = sign.dataset.retrying;
  if (state === "expired") sign.append(" ", wayBack());
}

function wayBack() {
  const link = document.createElement("a");
  link.href = `/sign-in?why=expired&next=${encodeURIComponent(location.pathname + location.search)}`;
  link.textContent = sign.dataset.signIn;
  return link;
}

// A stream says nothing about why it was refused, so the page itself is asked.
async function isExpired() {
  try {
    const answer = await fetch(location.href, { method: "HEAD", redirect: "manual", cache: "no-store" });
    return answer.type === "opaqueredirect" || answer.status === 401;
  } catch {
    return false;
  }
}

export function listen(url, takers) {
  const named = typeof takers === "function" ? { message: takers } : takers;
  let source = null;
  let pause = RETRY_FIRST_MS;
  let silence = 0;
  let again = 0;
  let isOver = false;

  function heard() {
    clearTimeout(silence);
    silence = setTimeout(broken, SILENCE_MS);
  }

  function open() {
    clearTimeout(again);
    source = new EventSource(url);
    source.addEventListener("open", () => {
      pause = RETRY_FIRST_MS;
      tell("live");
      heard();
    });
    source.addEventListener("beat", heard);
    source.addEventListener("error", broken);
    for (const [name, take] of Object.entries(named)) {
      source.addEventListener(name, (event) => {
        heard();
        take(JSON.parse(event.data), event);
      });
    }
  }

  async function broken() {
    clearTimeout(silence);
    source?.close();
    if (isOver) return;
    tell("lost");
    if (await isExpired()) {
      isOver = true;
      tell("expired");
      return;
    }
    again = setTimeout(open, pause * (0.5 + Math.random() / 2));
    pause = Math.min(RETRY_MOST_MS, pause * 2);
  }

  function comeBack() {
    if (!isOver && lostAt !== null && source?.readyState === EventSource.CLOSED) {
      pause = RETRY_FIRST_MS;
      open();
    }
  }

  function close() {
    isOver = true;
    clearTimeout(silence);
    clearTimeout(again);
    source?.close();
  }

  addEventListener("online", comeBack);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && comeBack());
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (event) => event.persisted && !isOver && open());
  open();
  return { close };
}
