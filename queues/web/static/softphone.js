// The agent's phone inside the desk page, where an installation has no other: it registers at the exchange, rings, and does
// what the desk tells it. It holds one call at a time and comes back by itself when the exchange was away.

const RETRY_MS_FIRST = 500;
const RETRY_MS_MAX = 8000;
const nothing = () => {};

export function connectSoftphone({ url, identity, onRinging = nothing, onConnected = nothing, onEnded = nothing, onState = nothing, ringTone = true }) {
  const base = url.replace(/\/+$/, "");
  const client = `${base}/standin/clients/${encodeURIComponent(identity)}`;
  const tone = createRingTone(ringTone);
  const keep = createKeep(`shouwen.softphone.${identity}`);
  let incoming = null; // the stream of calls that come in
  let heard = null; // the stream of the call at hand
  let sid = "";
  let stage = "idle"; // idle, ringing, connected
  let retryMs = RETRY_MS_FIRST;
  let retry = 0;
  let isClosed = false;

  async function ask(path, body = {}) {
    const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(String(answer.status));
  }

  async function register() {
    if (isClosed) return;
    try {
      await ask(client);
    } catch {
      return comeBack();
    }
    if (isClosed) return;
    incoming = new EventSource(client);
    incoming.addEventListener("open", () => {
      retryMs = RETRY_MS_FIRST;
      onState("registered");
    });
    incoming.addEventListener("message", (message) => ring(JSON.parse(message.data)));
    incoming.addEventListener("error", comeBack);
  }

  // A stream that broke is not trusted to come back registered: begin again.
  function comeBack() {
    incoming?.close();
    incoming = null;
    if (isClosed) return;
    onState("away");
    clearTimeout(retry);
    retry = setTimeout(register, retryMs);
    retryMs = Math.min(RETRY_MS_MAX, retryMs * 2);
  }

  // After a reload of the page: the call that was at hand, if it still is.
  async function resume() {
    const kept = keep.get();
    if (!kept || sid) return;
    const call = await find(kept);
    if (!call || call.state === "ended") return keep.set("");
    ring(call);
    if (call.state !== "ringing") tone.stop();
  }

  function ring(call) {
    if (!call.sid || call.sid === sid) return;
    if (stage !== "idle") return void ask(handset(call.sid, "decline")).catch(nothing);
    sid = call.sid;
    stage = "ringing";
    keep.set(sid);
    tone.start();
    listen(call);
    onRinging(call);
  }

  function listen(call) {
    heard?.close();
    heard = new EventSource(handset(call.sid, "events"));
    heard.addEventListener("message", (message) => {
      const { kind, text } = JSON.parse(message.data);
      if (call.sid !== sid) return;
      if (kind === "ended") end(call, text);
      else if (kind === "answered") tone.stop();
      else if (kind === "bridged" && stage !== "connected") {
        stage = "connected";
        tone.stop();
        onConnected(call);
      }
    });
    heard.addEventListener("error", () => heard?.readyState === EventSource.CLOSED && setTimeout(lookAgain, RETRY_MS_FIRST, call));
  }

  // A stream also breaks when its page is left; the call is over only when the exchange says so, or knows it no more.
  async function lookAgain(call) {
    if (isClosed || call.sid !== sid) return;
    const found = await find(call.sid);
    if (found === undefined) setTimeout(lookAgain, RETRY_MS_MAX, call);
    else if (!found || found.state === "ended") end(call, "lost");
    else listen(call);
  }

  // The handset as the exchange knows it; null when it does not, undefined when it cannot be asked.
  async function find(one) {
    try {
      const answer = await fetch(`${base}/standin/handsets/${encodeURIComponent(one)}`);
      return answer.ok ? await answer.json() : null;
    } catch {
      return undefined;
    }
  }

  function end(call, why) {
    if (call.sid !== sid) return;
    heard?.close();
    heard = null;
    sid = "";
    stage = "idle";
    keep.set("");
    tone.stop();
    onEnded({ ...call, why });
  }

  const handset = (one, verb) => `${base}/standin/handsets/${encodeURIComponent(one)}/${verb}`;

  async function tell(verb) {
    tone.stop();
    if (!sid) return false;
    try {
      await ask(handset(sid, verb));
      return true;
    } catch {
      return false;
    }
  }

  function close() {
    isClosed = true;
    clearTimeout(retry);
    incoming?.close();
    heard?.close();
    tone.stop();
  }

  addEventListener("pagehide", (event) => event.persisted || close());
  register();
  resume();

  return {
    answer: () => (stage === "ringing" ? tell("answer") : Promise.resolve(false)),
    accept: () => (stage === "ringing" ? tell("answer") : Promise.resolve(false)),
    decline: () => (stage === "ringing" ? tell("decline") : Promise.resolve(false)),
    hangUp: () => tell("hang-up"),
    close,
    get stage() {
      return stage;
    },
  };
}

// The call at hand survives a reload of its own tab, and only that.
function createKeep(key) {
  return {
    get() {
      try {
        return sessionStorage.getItem(key);
      } catch {
        return null;
      }
    },
    set(sid) {
      try {
        sessionStorage.setItem(key, sid);
      } catch {
        /* nothing is kept where nothing may be */
      }
    },
  };
}

// Two soft tones, as telephones in offices have; a browser that forbids sound before a click stays silent.
function createRingTone(isWanted) {
  let audio = null;
  let timer = 0;

  function note(frequency, at, forS) {
    const oscillator = audio.createOscillator();
    const gain = audio.createGain();
    oscillator.frequency.value = frequency;
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(0.06, at + 0.03);
    gain.gain.setTargetAtTime(0, at + forS - 0.1, 0.05);
    oscillator.connect(gain).connect(audio.destination);
    oscillator.start(at);
    oscillator.stop(at + forS + 0.2);
  }

  function once() {
    if (audio.state === "suspended") audio.resume().catch(nothing);
    if (audio.state !== "running") return;
    note(587, audio.currentTime, 0.35);
    note(784, audio.currentTime + 0.4, 0.45);
  }

  return {
    start() {
      if (!isWanted || timer || !("AudioContext" in window)) return;
      audio ??= new AudioContext();
      once();
      timer = setInterval(once, 2400);
    },
    stop() {
      clearInterval(timer);
      timer = 0;
    },
  };
}
