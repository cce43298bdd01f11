// Takes the pictures of the pages from a running installation, with a real browser.
//
//   npm ci --prefix tests/screenshots
//   node tests/screenshots/take.js --base http://127.0.0.1:8300 --agent agent01:PASSWORD --staff supervisor:PASSWORD \
//        [--phone http://127.0.0.1:8301/phone] [--empty http://127.0.0.1:8310 --empty-staff NAME:PASSWORD] \
//        [--out docs/pictures] [--only desk,wall] [--dark] [--full]
//
// The agent's seat must be one that nobody plays. The desk is photographed as its states come by: nobody is waited for longer
// than --patience seconds (90), and what did not happen is said at the end.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";

const { values: asked } = parseArgs({
  options: {
    base: { type: "string", default: "http://127.0.0.1:8300" },
    agent: { type: "string" },
    staff: { type: "string" },
    phone: { type: "string" },
    empty: { type: "string" },
    "empty-staff": { type: "string" },
    out: { type: "string", default: "docs/pictures" },
    only: { type: "string", default: "sign-in,phone,desk,wall,empty,queues,said,calls,call,tickets,ticket,abandoned,follow-ups,customers,file,tiers,import,notices,site,trials,figures,health" },
    patience: { type: "string", default: "90" },
    browser: { type: "string", default: "/usr/bin/chromium" },
    dark: { type: "boolean", default: false },
    full: { type: "boolean", default: false }, // wide pages, too, from top to bottom
  },
});

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required"];
const SIZES = { wide: { width: 1280, height: 720 }, narrow: { width: 390, height: 844 } };
const LANGUAGES = { zh: "zh-CN", en: "en-US" };
// A table for the power hotline with what goes wrong in tables: a number too short, an unknown area, no name, one account twice.
const TABLE = `户号,户名,电话,区域,用电类别,用电地址,用电容量（千伏安）,年用电量（千瓦时）,高危重点客户
0099000001,东湖纺织有限公司,0571-88886666、13800138061,城区,非居民,东湖路18号,2500,9600000,否
0099000002,人民医院,057188887777,城区,非居民,人民路1号,4000,15000000,是
0099000003,李秀英,12345,城郊,居民,柳林村6号,8,2300,否
0099000004,王海涛,13800138064,城北,居民,北门街22号,8,3100,否
0099000005,,13800138065,乡村,居民,石桥镇3号,8,1900,否
0099000006,第二建筑公司,13800138066,城区,非居民,建设路9号,一千,2200000,否
0099000001,东湖纺织厂,13800138067,城区,非居民,东湖路18号,2500,9600000,否
`;
const patience = Number(asked.patience) * 1000;
const wanted = new Set(asked.only.split(","));
const missed = [];

mkdirSync(asked.out, { recursive: true });
const profile = mkdtempSync(join(tmpdir(), "shouwen-pictures-"));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: asked.browser,
  headless: true,
  args: FLAGS,
  viewport: SIZES.wide,
  locale: LANGUAGES.zh,
  timezoneId: "Asia/Shanghai",
  colorScheme: asked.dark ? "dark" : "light",
});
const page = await browser.newPage();
page.on("pageerror", (error) => missed.push(`${page.url()}: ${error.message}`));
page.on("console", (line) => line.type() === "error" && !/422|ERR_FAILED/.test(line.text()) && missed.push(`${page.url()}: ${line.text()}`));

async function shoot(name, { full = false } = {}) {
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: join(asked.out, `${name}${asked.dark ? "-dark" : ""}.png`), fullPage: full });
  console.log(name);
}

// A page that is wider than the screen is a fault whatever it looks like.
async function lookForOverflow(name) {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide > 1) missed.push(`${name}: ${wide} px wider than the screen`);
}

async function speak(language) {
  await page.evaluate(async (locale) => {
    const csrf = document.querySelector('meta[name="csrf"]').content;
    await fetch("/locale", { method: "POST", redirect: "manual", body: new URLSearchParams({ csrf, locale, next: "/sign-in" }) });
  }, language);
}

async function signIn(account) {
  const [name, password] = account.split(/:(.*)/s);
  await browser.clearCookies();
  await page.goto(`${asked.base}/sign-in`);
  await page.fill('[name="name"]', name);
  await page.fill('[name="password"]', password);
  await Promise.all([page.waitForNavigation(), page.click('main form [type="submit"], main form button:not([type])')]);
}

async function first(path, selector) {
  await page.goto(new URL(path, asked.base).href);
  const found = await page.$(selector);
  return found ? found.getAttribute("href") : null;
}

// As it looks while the server is away. What comes from it is refused from here on, until the page is left.
async function loseLine() {
  await page.route("**/wall/events", (route) => route.abort());
  await page.reload();
  await page.waitForSelector('[data-connection][data-state="lost"]');
  await page.unroute("**/wall/events");
}

// The browser remembers it.
async function fillScreen() {
  if ((await page.getAttribute("[data-board]", "aria-pressed")) !== "true") await page.keyboard.press("f");
}

const search = (text) => async () => {
  await page.fill("#q", text);
  await Promise.all([page.waitForNavigation(), page.click(".customer-search button")]);
};

// An outage for every caller, in both languages, and one that is still to come.
async function raiseNotice() {
  for (const starts of ["", "2099-01-01T08:00"]) {
    await page.goto(`${asked.base}/notices/new`);
    await page.check('[name="kind"][value="outage"]');
    if (await page.$('[name="reach"][value="all"]')) await page.check('[name="reach"][value="all"]');
    await page.fill("#text_zh", "东湖路、人民路一带因线路故障停电，抢修人员已到场，预计18点前恢复供电。");
    await page.fill("#text_en", "Power is out around East Lake Road and People's Road. A crew is on site; we expect it back by six this evening.");
    for (const field of await page.$$("main textarea")) if (!(await field.inputValue())) await field.fill("Notice");
    if (starts) await page.fill("#starts", starts);
    await page.waitForTimeout(900);
    await Promise.all([page.waitForNavigation(), page.click("main form button.primary")]);
  }
}

// Every page in both languages and both sizes; narrow ones as long as they are.
async function everyWay(name, path, ready = "h1", first = null) {
  for (const language of Object.keys(LANGUAGES)) {
    await speak(language);
    for (const [size, viewport] of Object.entries(SIZES)) {
      await page.setViewportSize(viewport);
      await page.goto(new URL(path, asked.base).href);
      await page.waitForSelector(ready, { state: "attached" });
      if (first) await first();
      await page.waitForTimeout(400);
      await lookForOverflow(`${name}-${language}-${size}`);
      await shoot(`${name}-${language}-${size}`, { full: asked.full || size === "narrow" });
    }
  }
  await page.setViewportSize(SIZES.wide);
}

const sets = {
  async "sign-in"() {
    await page.goto(`${asked.base}/sign-in`);
    await everyWay("sign-in", "/sign-in");
  },
  async phone() {
    if (!asked.phone) return;
    for (const language of Object.keys(LANGUAGES)) {
      await page.setViewportSize(SIZES.wide);
      await page.goto(`${asked.phone}${asked.phone.includes("?") ? "&" : "?"}lang=${language}`);
      await page.waitForTimeout(500);
      await page.locator("body").click({ position: { x: 640, y: 400 } });
      await page.keyboard.press("Enter"); // dials; the greeting and the menu are read out
      await page.waitForTimeout(14000);
      await bothSizes(`phone-${language}`);
      await page.keyboard.press("Escape");
    }
  },
  async desk() {
    if (!asked.agent) return;
    await signIn(asked.agent);
    for (const language of Object.keys(LANGUAGES)) await deskStory(language);
    await page.keyboard.press("Escape");
  },
  async wall() {
    if (!asked.staff) return;
    await signIn(asked.staff);
    await everyWay("wall", "/wall");
    await everyWay("alarms", "/wall/alarms");
    await page.goto(new URL("/wall", asked.base).href);
    if (await page.waitForSelector("[data-alarm]", { timeout: patience }).catch(() => null)) {
      await everyWay("wall-board", "/wall", "h1", fillScreen);
    } else missed.push("wall: no alarm was raised");
    await page.evaluate(() => localStorage.removeItem("shouwen.board"));
    await everyWay("wall-lost", "/wall", "h1", loseLine);
  },
  async empty() {
    if (!asked.empty) return;
    const base = asked.base;
    asked.base = asked.empty;
    await signIn(asked["empty-staff"] || asked.staff);
    await everyWay("wall-empty", "/wall");
    asked.base = base;
  },
  async queues() {
    if (!asked.staff) return;
    await signIn(asked.staff);
    await everyWay("queues", "/queues");
  },
  async said() {
    if (!asked.staff) return;
    await signIn(asked.staff);
    await everyWay("said", "/said");
  },
  async figures() {
    if (!asked.staff) return;
    await signIn(asked.staff);
    await everyWay("figures", "/figures");
    for (const name of ["week", "waits", "agents"]) await everyWay(`figures-${name}`, `/figures/${name}`);
  },
  async "follow-ups"() {
    if (!asked.staff) return;
    await signIn(asked.staff);
    await oweSomething();
    await everyWay("follow-ups", "/follow-ups");
  },
  async calls() {
    if (!asked.staff) return;
    await signIn(asked.staff);
    await everyWay("calls", "/calls");
  },
  async call() {
    if (!asked.staff) return;
    await signIn(asked.staff);
    await page.goto(`${asked.base}/calls?outcome=answered`);
    const path = await page.getAttribute("tbody a", "href").catch(() => null);
    if (path) await everyWay("call", path);
    else missed.push("call: nobody has been answered yet");
  },
  async tickets() {
    if (!asked.staff) return;
    await signIn(asked.staff);
    await everyWay("tickets", "/tickets");
  },
  async ticket() {
    if (!asked.staff) return;
    await signIn(asked.staff);
    const path = await first("/tickets", 'tbody a[href^="/tickets/"]');
    if (path) await everyWay("ticket", path);
    else missed.push("ticket: there is none yet");
  },
  async abandoned() {
    if (!asked.staff) return;
    await signIn(asked.staff);
    await everyWay("abandoned", "/abandoned");
    if (!asked.agent) return;
    await signIn(asked.agent);
    await everyWay("abandoned-agent", "/abandoned");
    await everyWay("desk-list", "/desk", "#desk", () => page.keyboard.press("b"));
  },
  async customers() {
    if (!asked.staff) return;
    await signIn(asked.staff);
    await everyWay("customers", "/customers");
    await everyWay("customers-found", "/customers", "h1", search("公司"));
    await everyWay("customers-none", "/customers", "h1", search("nobody of this name"));
  },
  async file() {
    if (!asked.staff) return;
    await signIn(asked.staff);
    await page.goto(`${asked.base}/calls?outcome=answered`);
    // Key customers first: their files have managers, and more in the line of time.
    const found = await page.$$eval("tbody tr:has(td.who)", (rows) => rows
      .sort((one, other) => (one.querySelector(".tier")?.dataset.rank ?? 9) - (other.querySelector(".tier")?.dataset.rank ?? 9))
      .slice(0, 20).map((row) => row.querySelector('td.who a[href^="/calls/"]').getAttribute("href")));
    let path = null;
    for (const call of found) path ||= await first(call, 'main a[href^="/customers/"]'); // not every caller is known
    if (!path) return void missed.push("file: no customer has been answered yet");
    await everyWay("file", path);
    await everyWay("file-edit", `${path}/edit`);
    await everyWay("file-tier", `${path}/tier`);
    await everyWay("file-managers", `${path}/managers`);
  },
  async tiers() {
    if (!asked.staff) return;
    await signIn(asked.staff);
    await everyWay("tiers", "/customers/tiers");
    await everyWay("leaves", "/customers/leaves");
  },
  async import() {
    if (!asked.staff) return;
    await signIn(asked.staff);
    await everyWay("import", "/customers/import");
    await page.setInputFiles("#file", { name: "customers.csv", mimeType: "text/csv", buffer: Buffer.from(TABLE) });
    await Promise.all([page.waitForNavigation(), page.click('main form button')]);
    await page.waitForSelector("main [data-state]:not([data-upload])", { timeout: 15000 });
    await page.waitForTimeout(4000);
    await everyWay("import-report", new URL(page.url()).pathname);
  },
  async notices() {
    if (!asked.staff) return;
    await signIn(asked.staff);
    await everyWay("notices-before", "/notices");
    await raiseNotice();
    await everyWay("notices", "/notices");
    await everyWay("notice-new", "/notices/new");
    const path = await first("/notices", 'a.button[href^="/notices/"]:not([href="/notices/new"])');
    await everyWay("notice", path);
    await page.setViewportSize(SIZES.wide);
    await page.goto(`${asked.base}/notices/new`);
    await page.evaluate(() => localStorage.clear());
    await page.evaluate(() => document.querySelector("main form").setAttribute("novalidate", ""));
    await Promise.all([page.waitForNavigation(), page.click("main form button.primary")]);
    await shoot("notice-faults", { full: true });
  },
  async site() {
    if (!asked.staff) return;
    await signIn(asked.staff);
    await everyWay("site", "/site");
  },
  // The newest day on record, once more with one agent more.
  async trials() {
    if (!asked.staff) return;
    await signIn(asked.staff);
    await everyWay("trials", "/simulate");
    const day = await first("/simulate", ".trials-days a");
    if (!day) return void missed.push("trials: no day on record");
    await page.setViewportSize(SIZES.wide);
    await page.goto(new URL(day, asked.base).href);
    await page.fill("#more", "1");
    await Promise.all([page.waitForNavigation(), page.keyboard.press("Control+Enter")]);
    await page.waitForSelector(".trials:not([data-upload])", { timeout: patience });
    await everyWay("trial", new URL(page.url()).pathname);
  },
  async health() {
    if (!asked.staff) return;
    await signIn(asked.staff);
    await everyWay("health", "/health");
  },
};

async function stage(name) {
  const found = await page.waitForSelector(`[data-stage="${name}"]`, { timeout: patience }).catch(() => null);
  if (!found) missed.push(`desk: ${name} did not come by within ${asked.patience} s`);
  await page.waitForTimeout(300);
  return Boolean(found);
}

async function bothSizes(name) {
  await shoot(`${name}-wide`);
  await page.setViewportSize(SIZES.narrow);
  await page.waitForTimeout(150);
  await shoot(`${name}-narrow`, { full: true });
  await page.setViewportSize(SIZES.wide);
}

// Tickets whose callers are still to be told: resolved, each by a press of its key.
async function oweSomething() {
  for (let n = 0; n < 3; n++) {
    await page.goto(`${asked.base}/tickets?state=open`);
    const path = await page.getAttribute('tbody a[href^="/tickets/"]', "href").catch(() => null);
    if (!path) return;
    for (const key of ["a", "r"]) {
      await page.goto(new URL(path, asked.base).href);
      if (await page.$(`[data-key="${key}"]`)) await Promise.all([page.waitForNavigation(), page.keyboard.press(key)]).catch(() => null);
    }
  }
}

// To whom he could be put through; then a colleague is asked first, if one is free, else the caller is held.
async function putThrough(language) {
  await page.keyboard.press("t");
  await page.waitForTimeout(300);
  await bothSizes(`desk-pass-${language}`);
  const colleague = page.locator('#pass-to option[value^="agent:"]').first();
  if (await colleague.count()) {
    await page.selectOption("#pass-to", await colleague.getAttribute("value"));
    await page.keyboard.press("Control+Enter");
    await page.waitForTimeout(1500);
  }
  await page.keyboard.press("Escape");
  if (await page.isVisible('[data-do="hold"][value="1"]')) await page.keyboard.press("o");
  await page.waitForTimeout(1500);
  await bothSizes(`desk-held-${language}`);
  await page.keyboard.press("?");
  await page.waitForTimeout(200);
  await bothSizes(`desk-help-${language}`);
  await page.keyboard.press("?");
  await page.keyboard.press("o");
  await page.waitForTimeout(800);
}

// One call as the agent lives it: away, ready, offered, talking, wrap-up.
async function deskStory(language) {
  await page.goto(`${asked.base}/desk`);
  await speak(language);
  await page.goto(`${asked.base}/desk`);
  await page.waitForSelector("#desk");
  await bothSizes(`desk-idle-${language}`);
  if (await page.isVisible('[data-when="ready"]')) await page.keyboard.press("F2");
  if (!(await stage("offer"))) return;
  await bothSizes(`desk-offer-${language}`);
  await page.keyboard.press("Enter");
  if (!(await stage("talking"))) return;
  await page.waitForTimeout(1500);
  await page.keyboard.press("1");
  await page.keyboard.press("n");
  await page.keyboard.type(language === "zh" ? "变压器跳闸，已派抢修班，16:30 前回电。" : "Transformer tripped; crew sent, call back before 16:30.");
  await page.keyboard.press("Escape");
  await bothSizes(`desk-talking-${language}`);
  await putThrough(language);
  if (await page.isVisible('[data-do="hang-up"]')) await page.keyboard.press("h");
  if (!(await stage("wrap_up"))) return;
  await bothSizes(`desk-wrap-up-${language}`);
  await page.keyboard.press("Control+Enter");
  await page.waitForTimeout(500);
  await page.keyboard.press("F2"); // opens the reasons; the first is chosen, so nobody waits for a seat that is left
  await page.keyboard.press("1");
}

try {
  for (const [name, take] of Object.entries(sets)) {
    if (wanted.has(name)) await take().catch((error) => missed.push(`${name}: ${error.message.split("\n")[0]}`));
  }
} finally {
  await browser.close();
  rmSync(profile, { recursive: true, force: true });
}
for (const line of new Set(missed)) console.error(`missed: ${line}`);
process.exit(missed.length ? 1 : 0);
