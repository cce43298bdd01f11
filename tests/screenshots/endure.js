// A wallboard hangs for weeks: a real browser on /wall for hours of traffic, and what it costs by then.
//
//   npm ci --prefix tests/screenshots
//   node tests/screenshots/endure.js [--hours 8] [--speed 60] [--calls-per-hour 240] [--agents 12] [--shots FOLDER]
//
// It runs `shouwen demo` at that speed (8 hours at 60 are 8 minutes; at 1 they are 8 hours), and the web process is killed
// after a quarter of it. Measured each half hour of the product's time, after collecting garbage: the heap of the page, the
// nodes and listeners of its documents, the event streams that are open. It ends with 1 when the page has grown, lost its
// stream, or threw an error.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";

const { values: asked } = parseArgs({
  options: {
    hours: { type: "string", default: "8" },
    speed: { type: "string", default: "60" },
    "calls-per-hour": { type: "string", default: "240" },
    agents: { type: "string", default: "12" },
    seed: { type: "string", default: "1" },
    shouwen: { type: "string", default: ".venv/bin/shouwen" },
    browser: { type: "string", default: "/usr/bin/chromium" },
    shots: { type: "string" },
  },
});

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
const HALF_HOUR_MS = 1_800_000 / Number(asked.speed);
const SAMPLES = Number(asked.hours) * 2;
const GROWN = 1.25; // of what it was once everything had been drawn for the first time
const WARM = 2; // samples until then
const faults = [];
const rest = (ms) => new Promise((done) => setTimeout(done, ms));

const freePort = () => new Promise((found) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    server.close(() => found(port));
  });
});

async function startDemo() {
  const port = await freePort();
  const seconds = Math.ceil((SAMPLES + 1) * HALF_HOUR_MS / 1000);
  const options = { speed: asked.speed, agents: asked.agents, seed: asked.seed, port, for: seconds, kill: "web" };
  const given = Object.entries({ ...options, "calls-per-hour": asked["calls-per-hour"] }).flatMap(([name, value]) => [`--${name}`, `${value}`]);
  const demo = spawn(asked.shouwen, ["demo", ...given], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  demo.stdout.on("data", (text) => (said += text));
  for (let tries = 0; !/password for all of them: (\S+)/.test(said); tries += 1) {
    if (tries > 600 || demo.exitCode !== null) throw new Error(`the demo did not come up:\n${said}`);
    await rest(500);
  }
  return { demo, base: `http://127.0.0.1:${port}`, password: said.match(/password for all of them: (\S+)/)[1], said: () => said };
}

// Every stream the page ever opened, and what it said about its connection.
function watch() {
  const streams = (window.streams = []);
  const Real = window.EventSource;
  window.EventSource = class extends Real {
    constructor(...given) {
      super(...given);
      streams.push(new WeakRef(this));
    }
  };
  window.story = [];
  document.addEventListener("connection", (event) => {
    const sign = document.querySelector("[data-connection]");
    const last = window.story.at(-1);
    if (last?.state !== event.detail.state) setTimeout(() => window.story.push({ state: event.detail.state, at: Date.now(), said: sign.textContent }));
  });
}

async function openWall({ base, password }) {
  const profile = mkdtempSync(join(tmpdir(), "shouwen-wall-"));
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: asked.browser, headless: true, args: FLAGS, viewport: { width: 1280, height: 720 }, locale: "zh-CN", timezoneId: "Asia/Shanghai",
  });
  const page = await browser.newPage();
  page.on("pageerror", (error) => faults.push(error.message));
  await page.addInitScript(watch);
  await page.goto(`${base}/sign-in`);
  await page.fill('[name="name"]', "supervisor");
  await page.fill('[name="password"]', password);
  await Promise.all([page.waitForNavigation(), page.click('main form [type="submit"], main form button:not([type])')]);
  await page.goto(`${base}/wall`);
  return { page, close: async () => (await browser.close(), rmSync(profile, { recursive: true, force: true })) };
}

async function measure(page, devtools) {
  await devtools.send("HeapProfiler.collectGarbage");
  await devtools.send("HeapProfiler.collectGarbage");
  const { usedSize } = await devtools.send("Runtime.getHeapUsage");
  const { nodes, jsEventListeners } = await devtools.send("Memory.getDOMCounters");
  const told = await page.evaluate(() => ({
    open: window.streams.filter((each) => each.deref() && each.deref().readyState !== EventSource.CLOSED).length,
    opened: window.streams.length,
    elements: document.querySelectorAll("*").length,
    alarms: document.querySelectorAll("[data-alarm]").length,
    until: document.querySelector('[data-slot="curve.told"]')?.textContent ?? "",
    state: document.querySelector("[data-connection]").dataset.state,
    story: window.story,
  }));
  return { heap: usedSize / 1e6, nodes, listeners: jsEventListeners, ...told };
}

function judge(samples) {
  const [warm, last] = [samples[WARM], samples.at(-1)];
  for (const what of ["heap", "nodes", "listeners"]) {
    const most = Math.max(...samples.slice(-3).map((each) => each[what]));
    if (most > warm[what] * GROWN) faults.push(`${what} grew from ${warm[what]} to ${most}`);
  }
  if (samples.some((each) => each.open > 1) || last.open !== 1) faults.push("not one stream");
  if (last.state !== "live") faults.push(`the page says ${last.state} at the end`);
  const story = last.story.map((each) => each.state);
  if (!story.includes("lost") || story.at(-1) !== "live") faults.push(`the connection was ${story.join(", ")}`);
}

const line = (...cells) => console.log(`| ${cells.join(" | ")} |`);
const installation = await startDemo();
const wall = await openWall(installation);
try {
  const devtools = await wall.page.context().newCDPSession(wall.page);
  const samples = [];
  line("product time", "heap, MB", "DOM nodes", "listeners", "elements", "streams open", "opened so far", "alarms shown", "curve");
  line(...Array(9).fill("---"));
  for (let n = 0; n <= SAMPLES; n += 1) {
    if (n) await rest(HALF_HOUR_MS);
    const told = await measure(wall.page, devtools);
    samples.push(told);
    line(`${n / 2} h`, told.heap.toFixed(2), told.nodes, told.listeners, told.elements, told.open, told.opened, told.alarms, told.until);
    if (asked.shots) await wall.page.screenshot({ path: join(asked.shots, `wall-${n}.png`) });
  }
  judge(samples);
  for (const { state, at, said } of samples.at(-1).story) console.log(`${new Date(at).toISOString()} ${state}: ${said}`);
} finally {
  await wall.close();
  installation.demo.kill("SIGINT");
  await new Promise((done) => (installation.demo.exitCode === null ? installation.demo.once("exit", done) : done()));
}
console.log(installation.said().split("\n").slice(-4).join("\n"));
for (const fault of faults) console.log(`FAULT: ${fault}`);
process.exitCode = faults.length ? 1 : 0;
