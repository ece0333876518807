// How soon the next crop is painted: one person keys at ten keys a second, four others answer. `npm run pace`; it prints what it
// measured. FIELDS is how many fields are keyed.

import { launch, openPage, painted } from "./browser.js";
import { answersOf, listReviewers, makeLargeRun, serve } from "./program.js";

const N_FIELDS = Number(process.env.FIELDS ?? 1000);
const KEY_MS = 100;
const OTHERS = ["ben", "cem", "dan", "eva"];
const OTHERS_MS = 1500; // between two answers of one of them
const FIRST = "ann";

/** Somebody who answers without a browser, until `isOver` says so: how many answers were taken. */
async function answerAll(origin, who, isOver) {
  const headers = { "content-type": "application/json", origin };
  const entered = await fetch(`${origin}/api/enter`, { method: "POST", headers, body: JSON.stringify({ token: `${who}-token` }) });
  headers.cookie = entered.headers.get("set-cookie").split(";")[0];
  const post = async (path, body) => (await fetch(origin + path, { method: "POST", headers, body: JSON.stringify(body) })).json();
  let n = 0;
  while (!isOver()) {
    const { fields } = await post("/api/hand", {});
    if (fields.length > 0) {
      await fetch(`${origin}/crop/${fields[0].item}`, { headers });
      const keyed = fields[0].kind === "date" ? "311226" : "7";
      await post("/api/answer", { id: `${who}-${n}`, item: fields[0].item, keyed });
      n += 1;
    }
    await new Promise((resolve) => setTimeout(resolve, OTHERS_MS));
  }
  return n;
}

const run = makeLargeRun(Math.ceil(N_FIELDS / 10));
const browser = await launch();
const list = listReviewers(run.folder, [FIRST, ...OTHERS]);
const server = await serve(run.folder, list);
const { page, seen, close } = await openPage(browser);
await page.addInitScript(() => {
  addEventListener("keydown", (event) => { if (event.key === "Enter") performance.mark("enter"); }, true);
  addEventListener("mousedown", () => performance.mark("mouse"), true);
});
await page.goto(`${server.origin}/#${FIRST}-token`);
let item = await painted(page);
let isOver = false;
const others = OTHERS.map((who) => answerAll(server.origin, who, () => isOver));
const asked = [item];
let next = performance.now();
const key = async (name) => {
  next = Math.max(next + KEY_MS, performance.now());
  await new Promise((resolve) => setTimeout(resolve, next - performance.now()));
  await page.keyboard.press(name);
};
while (asked.length <= N_FIELDS) {
  const kind = await page.locator("#hint").textContent();
  for (const digit of kind.startsWith("date") ? "311226" : "12") await key(digit);
  await key("Enter");
  item = await painted(page, item).catch(() => null);
  if (item === null) console.log("stopped:", await page.locator("body").innerText());
  if (item === null || (await page.locator(".message").count()) > 0) break;
  asked.push(item);
}
await page.waitForFunction(() => document.getElementById("notice").textContent === "");
const times = await page.evaluate(() => {
  const marks = performance.getEntriesByType("mark");
  const painted = marks.filter((mark) => mark.name === "painted").map((mark) => mark.startTime);
  const enters = marks.filter((mark) => mark.name === "enter").map((mark) => mark.startTime);
  return enters.map((enter) => (painted.find((time) => time > enter) ?? NaN) - enter).filter((time) => !Number.isNaN(time));
});
const nMouse = await page.evaluate(() => performance.getEntriesByName("mouse").length);
isOver = true;
const nOthers = (await Promise.all(others)).reduce((sum, n) => sum + n, 0);
const sent = seen.requests.filter((request) => request.url().endsWith("/api/answer")).map((request) => request.postDataJSON());
await close();
await server.stop();
const stored = answersOf(run.folder).filter(({ who }) => who === FIRST);
times.sort((a, b) => a - b);
const quantile = (share) => `${times[Math.round((times.length - 1) * share)].toFixed(0)} ms`;
const isSame = sent.length === stored.length && sent.every(({ id }, i) => id === stored[i].id) && new Set(stored.map(({ id }) => id)).size === stored.length;
const inOrder = sent.every((answer, i) => answer.item === asked[i]);
console.log(`${times.length} fields, ${nOthers} answers of ${OTHERS.length} others: Enter to painted p50 ${quantile(0.5)}, p95 ${quantile(0.95)}, p99 ${quantile(0.99)}; `
  + `answers ${isSame ? "kept once" : "LOST OR DOUBLED"}, ${inOrder ? "each on its field" : "ON ANOTHER FIELD"}; ${nMouse} mouse events`);
await browser.close();
run.remove();
if (!isSame || !inOrder) process.exit(1);
