// One call on the exchange, by HTTP: dial, press, speak, hang up, and everything heard as it happens.
// The stream starts from the first event again after every reconnection; what was told already is not told twice.

const HANDSETS = "/standin/handsets";

async function ask(path, body) {
  const answer = await fetch(path, {
    method: body === undefined ? "GET" : "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(told.message || told.error || String(answer.status));
  return told;
}

export async function dial(from, to) {
  return openLine((await ask(HANDSETS, { from, to })).sid);
}

export async function resume(sid) {
  const told = await ask(`${HANDSETS}/${sid}`);
  return told.state === "ended" ? null : openLine(sid);
}

function openLine(sid) {
  const path = `${HANDSETS}/${sid}`;
  return {
    sid,
    press: (digits) => ask(`${path}/keys`, { digits }),
    speak: (text) => ask(`${path}/speech`, { text }),
    hangUp: () => ask(`${path}/hang-up`, {}),
    listen: (hear, lost) => listen(`${path}/events`, hear, lost),
  };
}

function listen(path, hear, lost) {
  let told = 0;
  let place = 0;
  const stream = new EventSource(path);
  const close = () => stream.close();
  stream.addEventListener("open", () => {
    place = 0;
    lost(false);
  });
  stream.addEventListener("error", () => lost(true));
  stream.addEventListener("message", (message) => {
    place += 1;
    if (place <= told) return;
    told = place;
    const heard = JSON.parse(message.data);
    hear(heard);
    if (heard.kind === "ended") close();
  });
  return close;
}
