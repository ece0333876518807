// The editor of templates in a real browser: every action with the mouse, and once more with keys alone.

import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { launch, look, openPage } from "./browser.js";
import { ask, start } from "./program.js";

const ROOT = new URL("../..", import.meta.url).pathname;
const NOTE = "# Counted by hand.\n";

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser.close(); });

/** The drafted template of the cash form, with a comment, beside its blank. */
function makeFolder() {
  const folder = mkdtempSync(join(tmpdir(), "formread-editor-"));
  cpSync(join(ROOT, "fixtures/walk"), folder, { recursive: true });
  const drafted = readFileSync(join(folder, "cash.toml"), "utf8");
  writeFileSync(join(folder, "cash.toml"), drafted.replace("[[field]]\nname = \"field_03\"", `${NOTE}[[field]]\nname = "field_03"`));
  return folder;
}

/** Runs `body` with an open editor. */
function withEditor(name, body, { args = ["cash.toml", "blank.png"], prepare = () => {} } = {}) {
  test(name, async () => {
    const folder = makeFolder();
    prepare(folder);
    const server = await start(folder, ["template", "edit", ...args]);
    const { page, seen, close } = await openPage(browser, { viewport: { width: 1400, height: 900 } });
    try {
      await page.goto(server.address);
      await page.waitForSelector(".fields > g");
      assert.equal(page.url(), `${server.origin}/`, "the token is not left in the address");
      await body({ page, seen, folder, server, file: join(folder, "cash.toml") });
    } finally {
      await close();
      assert.equal(await server.stop(), 0);
      rmSync(folder, { recursive: true });
    }
    const strangers = seen.requests.filter((request) => new URL(request.url()).origin !== server.origin);
    assert.deepEqual(strangers.map((request) => request.url()), [], "no request leaves the machine");
  });
}

const textOf = (page) => page.locator("#toml").inputValue();
const namesOf = (page) => page.locator(".list .name").allTextContents();
const noticeOf = (page) => page.locator("#notice").textContent();
const rulesOf = (page) => page.locator(".rules input").evaluateAll((inputs) => inputs.map((input) => input.value));

/** Does something, and waits until the text has or has not these parts. */
async function changes(page, act, { has = [], hasNot = [] }) {
  await act();
  await page.waitForFunction(([has, hasNot]) => {
    const { value } = document.getElementById("toml");
    return has.every((part) => value.includes(part)) && !hasNot.some((part) => value.includes(part));
  }, [[has].flat(), [hasNot].flat()]).catch(async (error) => {
    throw new Error(`the text has not ${has} or has ${hasNot}: ${await noticeOf(page)}\n${await textOf(page)}`, { cause: error });
  });
}

/** Where a field is on the screen. */
const boxOf = (page, idx) => page.locator(`.fields > g:nth-child(${idx + 1}) .whole`).boundingBox();
const middleOf = ({ x, y, width, height }) => [x + width / 2, y + height / 2];

async function drag(page, from, by) {
  await page.mouse.move(...from);
  await page.mouse.down();
  await page.mouse.move(from[0] + by[0] / 2, from[1] + by[1] / 2);
  await page.mouse.move(from[0] + by[0], from[1] + by[1]);
  await page.mouse.up();
}

/** The numbers of the box of a field in the text. */
async function boxInText(page, name) {
  const table = (await textOf(page)).split("[[field]]").find((part) => part.includes(`name = "${name}"`));
  return table.match(/box = \[(.*)\]/)[1].split(",").map(Number);
}

const clickTool = (page, name) => page.getByRole("button", { name, exact: true }).click();
/** Gives an input of the form of the field another value. */
const fill = async (page, label, value) => { await page.getByLabel(label, { exact: true }).fill(value); await page.keyboard.press("Enter"); };

withEditor("every action is done with the mouse", async ({ page, seen, file }) => {
  const original = await textOf(page);
  await page.locator(".verdicts li").first().waitFor();
  await look(page, "editor");

  // select, drag, resize
  const place = await boxOf(page, 1);
  const before = await boxInText(page, "field_02");
  await drag(page, middleOf(place), [-40, 30]);
  await page.waitForFunction((old) => !document.getElementById("toml").value.includes(old), `box = [${before.join(", ")}]`);
  const moved = await boxInText(page, "field_02");
  const mmPerPx = before[2] / place.width;
  assert.ok(Math.abs(moved[0] - (before[0] - 40 * mmPerPx)) < 0.1 && Math.abs(moved[1] - (before[1] + 30 * mmPerPx)) < 0.1, String(moved));
  assert.deepEqual(moved.slice(2), before.slice(2), "its size stays");
  assert.equal(await page.locator("#field-title").textContent(), "field_02, 2 of 10");
  for (const [handle, by, wanted] of [["se", [20, 10], [0, 0, 20, 10]], ["w", [-15, 5], [-15, 0, 15, 0]], ["n", [5, 8], [0, 8, 0, -8]]]) {
    const old = await boxInText(page, "field_02");
    await drag(page, middleOf(await page.locator(`.handle.${handle}`).boundingBox()), by);
    await page.waitForFunction((old) => !document.getElementById("toml").value.includes(old), `box = [${old.join(", ")}]`);
    const now = await boxInText(page, "field_02");
    now.forEach((length, i) => assert.ok(Math.abs(length - old[i] - wanted[i] * mmPerPx) < 0.1, `${handle}: ${old} ${now}`));
  }
  for (let n = 0; n < 4; n += 1) await clickTool(page, "Undo");
  await changes(page, () => {}, { has: `box = [${before.join(", ")}]` });
  assert.equal(await textOf(page), original, "undone four times, it is what it was");
  await clickTool(page, "Redo");
  await changes(page, () => {}, { has: `box = [${moved.join(", ")}]` });
  await clickTool(page, "Undo");
  await changes(page, () => {}, { has: `box = [${before.join(", ")}]` });

  // draw, delete
  const sheet = await page.locator(".sheet svg").boundingBox();
  await page.mouse.click(sheet.x + 60, sheet.y + 400);
  assert.equal((await namesOf(page)).length, 10, "a click draws nothing");
  await changes(page, () => drag(page, [sheet.x + 40, sheet.y + 300], [200, 40]), { has: "name = \"new_field\"" });
  const drawn = await boxInText(page, "new_field");
  [40, 300, 200, 40].forEach((px, i) => assert.ok(Math.abs(drawn[i] - px * mmPerPx) < 0.2, String(drawn)));
  await changes(page, () => clickTool(page, "Delete"), { hasNot: "new_field" });

  // rename, kind and what it takes
  await page.mouse.click(...middleOf(await boxOf(page, 2)));
  await changes(page, () => fill(page, "Name", "coins"), { has: "name = \"coins\"" });
  await changes(page, () => page.getByLabel("Kind", { exact: true }).selectOption("amount"), { has: "kind = \"amount\"" });
  await changes(page, () => fill(page, "Decimals", "3"), { has: "decimals = 3" });
  await changes(page, () => page.getByLabel("Decimal point").selectOption("written"), { has: "point = \"written\"" });
  await changes(page, () => fill(page, "Digits, from – to", "1 – 9"), { has: "digits = [1, 9]" });
  await changes(page, () => fill(page, "Range, from – to", "0 500"), { has: "range = [0, 500]" });
  await changes(page, () => page.getByLabel("May not be blank").check(), { has: "required = true" });
  await changes(page, () => page.getByLabel("crosses").check(), { has: "fillers = [\"cross\"]" });
  await changes(page, () => page.getByLabel("May not be blank").uncheck(), { hasNot: "required" });
  await changes(page, () => page.getByRole("group", { name: "Printed sides" }).getByLabel("top").uncheck(), { has: "printed = [\"right\", \"bottom\", \"left\", \"between\"]" });
  await changes(page, () => fill(page, "Left", "71.5"), { has: "box = [71.5, 54.03, 63.96, 9]" });
  await changes(page, () => page.getByLabel("Kind", { exact: true }).selectOption("code"), { hasNot: ["decimals", "point", "range"] });
  assert.match(await noticeOf(page), /^Taken out of the text: decimals = 3, point = "written", range = \[0, 500\]$/);
  await changes(page, () => fill(page, "Groups of cells", "2 3"), { has: "groups = [2, 3]" });
  assert.match(await noticeOf(page), /digits = \[1, 9\]/);
  assert.ok((await textOf(page)).includes(`${NOTE}[[field]]\nname = "coins"`), "the comment is still there");

  // order, split, merge
  await clickTool(page, "Earlier");
  await page.waitForFunction(() => document.querySelectorAll(".list .name")[1].textContent === "coins");
  assert.ok((await textOf(page)).includes(`${NOTE}[[field]]\nname = "coins"`), "the comment goes with its field");
  await clickTool(page, "Later");
  await page.waitForFunction(() => document.querySelectorAll(".list .name")[2].textContent === "coins");
  await changes(page, () => clickTool(page, "Split"), { has: "name = \"coins_2\"" });
  await clickTool(page, "Merge with…");
  await changes(page, async () => page.mouse.click(...middleOf(await boxOf(page, 3))), { hasNot: "coins_2" });
  assert.ok((await textOf(page)).includes("groups = [5]"), "cells without a gap are one group");
  await changes(page, async () => { await page.getByLabel("Split at").fill("1"); await clickTool(page, "Split"); }, { has: ["groups = [1]", "groups = [4]"] });
  await changes(page, () => clickTool(page, "Undo"), { hasNot: "coins_2" });

  // rules
  await page.mouse.click(...middleOf(await boxOf(page, 7)));
  await clickTool(page, "Sum of fields…");
  for (const idx of [3, 4, 5, 4]) await page.mouse.click(...middleOf(await boxOf(page, idx)));
  assert.match(await page.locator(".banner").textContent(), /field_08 = field_04 \+ field_06/);
  await look(page, "editor-sum");
  await changes(page, () => clickTool(page, "Add the rule"), { has: "rules = [\"field_08 = field_04 + field_06\"]" });
  await changes(page, () => fill(page, "New rule", "field_04 >= 1"), { has: "\"field_04 >= 1\"" });
  await changes(page, () => fill(page, "Rule 2", "field_04 >= 2"), { has: "\"field_04 >= 2\"" });
  await changes(page, () => fill(page, "Name", "total"), { has: "total = field_04 + field_06" });
  await page.mouse.click(...middleOf(await boxOf(page, 3)));
  await clickTool(page, "Delete");
  await page.waitForFunction(() => document.getElementById("notice").textContent.includes("field_04 is in the rule"));
  await changes(page, () => clickTool(page, "Delete rule 2"), { hasNot: "field_04 >= 2" });
  assert.deepEqual(await rulesOf(page), ["total = field_04 + field_06"]);

  // verdicts follow, and lead to the field and the line
  await changes(page, () => fill(page, "Top", "56"), { has: "[70.08, 56, 63.96, 8.89]" });
  const verdict = page.locator(".verdicts li", { hasText: "Fault: overlap" }).first();
  await verdict.waitFor();
  await verdict.getByRole("button").click();
  assert.equal(await page.evaluate(() => document.activeElement.id), "toml");
  await changes(page, () => clickTool(page, "Undo"), { has: "[70.08, 68, 63.96, 8.89]" });
  await verdict.waitFor({ state: "detached" });

  // zoom, print, keys
  const usual = await boxOf(page, 0);
  await clickTool(page, "Show the form larger");
  assert.ok((await boxOf(page, 0)).width > 1.4 * usual.width);
  await clickTool(page, "Show the form smaller");
  await clickTool(page, "Full width");
  assert.equal(Math.round((await boxOf(page, 0)).width), Math.round(usual.width));
  await clickTool(page, "Printed lines");
  assert.ok(!(await page.locator(".print").isVisible()));
  await clickTool(page, "Printed lines");
  await clickTool(page, "Keys");
  await look(page, "editor-keys");
  await clickTool(page, "Close");

  const edited = await textOf(page);
  assert.notEqual(readFileSync(file, "utf8"), edited, "nothing is written before it is saved");
  await clickTool(page, "Save");
  await page.waitForFunction(() => document.getElementById("notice").textContent === "Saved in cash.toml.");
  assert.equal(readFileSync(file, "utf8"), edited);
  assert.deepEqual(seen.faults.filter((fault) => !fault.includes("422")), []);
});

withEditor("every action is done with keys alone", async ({ page, seen, file }) => {
  const press = (...keys) => keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());
  const focused = () => page.evaluate(() => document.activeElement.textContent);
  // Tab walks the fields in reading order
  assert.equal(await focused(), "field_01code");
  await press("Tab");
  assert.equal(await focused(), "field_02code");
  const original = await textOf(page);
  await changes(page, () => press("ArrowRight", "ArrowRight", "Shift+ArrowUp"), { has: "box = [70.16, 38.94, 63.96, 9]" });
  await changes(page, () => press("Control+ArrowRight", "Alt+Shift+ArrowUp"), { has: "box = [70.16, 38.94, 64.06, 8]" });
  for (let now = await textOf(page); now !== original; now = await textOf(page)) {
    await press("Control+z");
    await page.waitForFunction((now) => document.getElementById("toml").value !== now, now);
  }
  await changes(page, () => press("Control+y"), { hasNot: "box = [69.96, 39.94, 63.96, 9]" });
  await changes(page, () => press("Control+z"), { has: "box = [69.96, 39.94, 63.96, 9]" });

  await changes(page, () => press("n"), { has: "name = \"new_field\"" });
  await page.waitForFunction(() => document.activeElement.textContent === "new_fieldinteger");
  await press("Enter");
  await page.keyboard.type("extra");
  await changes(page, () => press("Tab"), { has: "name = \"extra\"" });
  await changes(page, async () => { await page.keyboard.type("mark"); }, { has: "name = \"extra\"\nkind = \"mark\"" });
  await press("Escape");
  assert.equal(await focused(), "extramark");
  await changes(page, () => press("PageDown"), { has: "extra" });
  await page.waitForFunction(() => document.activeElement.textContent === "extramark" && document.querySelectorAll(".list .name")[3].textContent === "extra");
  await changes(page, () => press("PageUp"), { has: "extra" });
  await page.waitForFunction(() => document.querySelectorAll(".list .name")[2].textContent === "extra");
  await changes(page, () => press("Delete"), { hasNot: "extra" });
  assert.equal(await focused(), "field_03code", "the next field has the keys");

  await changes(page, () => press("s"), { has: "name = \"field_03_2\"" });
  await press("m", "Tab");
  await changes(page, () => press("Space"), { hasNot: "field_03_2" });
  await press("r", "Tab", "Space", "Tab", "Space");
  await changes(page, () => press("Enter"), { has: "rules = [\"field_03 = field_04 + field_05\"]" });
  await press("r", "Escape");
  assert.ok(!(await page.locator(".banner").isVisible()));
  await press("+", "+", "0", "?");
  await page.waitForSelector("dialog[open]");
  await press("Escape");
  await press("Control+s");
  await page.waitForFunction(() => document.getElementById("notice").textContent === "Saved in cash.toml.");
  assert.equal(readFileSync(file, "utf8"), await textOf(page));
  // a person who has no use for the fields goes past them
  await page.evaluate(() => document.querySelector(".skip").focus());
  await press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.labels[0].textContent), "Name");
  assert.deepEqual(seen.faults, []);
});

withEditor("text typed by hand is drawn, or refused with its line", async ({ page, file }) => {
  const original = await textOf(page);
  const area = page.locator("#toml");
  await area.fill(original.replace("[7.97, 8.08, 15.01, 9.93]", "[7.97, 8.08, 30, 9.93] # wider"));
  await page.waitForFunction(() => document.querySelectorAll(".box input")[2].value === "30");
  const broken = original.replace("kind = \"code\"", "kind = \"cod\"");
  await area.fill(broken);
  await page.waitForSelector("p.fault:not([hidden])");
  assert.match(await page.locator("p.fault").textContent(), /unknown kind: "cod".*Line 20/s);
  await look(page, "editor-fault");
  await page.locator("p.fault button").click();
  assert.equal(await page.evaluate(() => { const { value, selectionStart, selectionEnd } = document.getElementById("toml"); return value.slice(selectionStart, selectionEnd); }), "kind = \"cod\"");
  await page.locator(".field").first().focus();
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction(() => document.getElementById("notice").textContent.includes("Mend the text or undo first"));
  assert.equal(await textOf(page), broken, "nothing is changed in a text that is no template");
  await page.keyboard.press("Control+s");
  await page.waitForFunction(() => document.getElementById("notice").textContent.startsWith("Not done"));
  assert.equal(readFileSync(file, "utf8"), original, "nor is it saved");
  await page.keyboard.press("Control+z");
  await page.waitForSelector("p.fault", { state: "hidden" });
  await page.keyboard.press("Control+z");
  await changes(page, () => {}, { hasNot: "# wider" });
  assert.equal(await textOf(page), original);
});

withEditor("file that changed meanwhile is shown and not replaced, and leaving with changes asks", async ({ page, folder, file }) => {
  const asked = [];
  page.on("dialog", (dialog) => { asked.push(dialog.type()); dialog.dismiss(); });
  const theirs = `# by another program\n${readFileSync(file, "utf8")}`;
  await changes(page, () => page.keyboard.press("ArrowRight"), { has: "[8.07, 8.08, 15.01, 9.93]" });
  const mine = await textOf(page);
  writeFileSync(file, theirs);
  await page.keyboard.press("Control+s");
  await page.waitForSelector("dialog[open]");
  assert.equal(await page.getByLabel("The text on the disk").inputValue(), theirs);
  await look(page, "editor-conflict");
  await clickTool(page, "Cancel");
  assert.equal(readFileSync(file, "utf8"), theirs);
  await page.close({ runBeforeUnload: true });
  await page.waitForTimeout(300);
  assert.deepEqual([asked, page.isClosed()], [["beforeunload"], false]);

  await page.keyboard.press("Control+s");
  await clickTool(page, "Take the text on the disk");
  await changes(page, () => {}, { has: "# by another program" });
  assert.equal(await page.getByRole("button", { name: "Save", exact: true }).isDisabled(), true, "there is nothing to save");
  await clickTool(page, "Undo");
  await changes(page, () => {}, { hasNot: "# by another program" });
  assert.equal(await textOf(page), mine, "mine is one step back");
  writeFileSync(file, theirs.replace("another", "a third"));
  await page.locator(".field").first().focus();
  await page.keyboard.press("Control+s");
  await clickTool(page, "Write mine over it");
  await page.waitForFunction(() => document.getElementById("notice").textContent === "Saved in cash.toml.");
  assert.equal(readFileSync(file, "utf8"), mine);
  rmSync(file);
  await changes(page, () => page.keyboard.press("ArrowRight"), { has: "[8.17, 8.08, 15.01, 9.93]" });
  await page.keyboard.press("Control+s");
  await page.waitForFunction(() => document.querySelector("dialog[open]")?.textContent.includes("no longer there"));
  await clickTool(page, "Write mine over it");
  await page.waitForFunction(() => document.getElementById("notice").textContent === "Saved in cash.toml.");
  assert.deepEqual(readdirSync(folder).sort(), ["blank.png", "cash.toml", "cash.toml.png"], "nothing is left beside it");
});

withEditor("blank of another form in a PDF is shown as it is, with the reason", async ({ page }) => {
  assert.match(await page.locator(".banner").textContent(), /does not fit this blank/);
  await page.waitForFunction(() => { const image = document.querySelector(".sheet img"); return image.complete && image.naturalWidth > 100; });
}, { args: ["cash.toml", "form.pdf"], prepare: (folder) => cpSync(join(ROOT, "fixtures/decode/form.pdf"), join(folder, "form.pdf")) });

withEditor("without the token there is nothing to see", async ({ server }) => {
  const { page, close } = await openPage(browser);
  await page.goto(server.origin);
  await page.waitForSelector("#token");
  await look(page, "editor-enter");
  await page.keyboard.type("wrong");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#notice.is-warning");
  assert.equal(await page.locator(".field").count(), 0);
  await page.keyboard.type(new URL(server.address).hash.slice(1));
  await page.keyboard.press("Enter");
  await page.waitForSelector(".fields > g");
  await page.reload();
  await page.waitForSelector(".fields > g");
  await close();
});

test("foreign hosts and origins, changes by GET, and missing tokens are refused", async () => {
  const folder = makeFolder();
  const server = await start(folder, ["template", "edit", "cash.toml", "blank.png"]);
  const { origin } = server;
  const token = new URL(server.address).hash.slice(1);
  const json = { "content-type": "application/json", origin };
  const text = readFileSync(join(folder, "cash.toml"), "utf8");
  const status = async (asked) => (await ask(origin, asked)).status;
  const paths = ["/api/open", "/api/view", "/api/change", "/api/check", "/api/save"];
  const body = JSON.stringify({ text, change: { do: "delete", field: 0 }, base: null });

  assert.equal(await status({ headers: { host: "evil.example" } }), 421);
  assert.equal(await status({ headers: { origin: "http://evil.example" } }), 403);
  assert.equal(await status({ path: "/blank.png" }), 401, "the blank without a token");
  assert.equal(await status({ method: "POST", path: "/api/enter", headers: json, body: JSON.stringify({ token: "0" }) }), 401);
  const entered = await ask(origin, { method: "POST", path: "/api/enter", headers: json, body: JSON.stringify({ token }) });
  const [cookie] = entered.headers["set-cookie"];
  assert.match(cookie, /HttpOnly; SameSite=Strict/);
  const own = { ...json, cookie: cookie.split(";")[0] };
  for (const path of paths) {
    assert.equal(await status({ path, headers: own }), 405, `${path} by GET`);
    assert.equal(await status({ method: "POST", path, headers: json, body }), 401, `${path} without a cookie`);
    assert.equal(await status({ method: "POST", path, headers: { ...own, origin: "http://evil.example" }, body }), 403, `${path} from elsewhere`);
    assert.equal(await status({ method: "POST", path, headers: { ...own, host: "evil.example" }, body }), 421, `${path} of another host`);
    assert.equal(await status({ method: "POST", path, headers: { ...own, "content-type": "text/plain" }, body }), 415, `${path} as text`);
  }
  const page = await ask(origin, { path: "/blank.png", headers: own });
  assert.deepEqual([page.status, page.headers["cache-control"]], [200, "no-store"]);
  assert.match(page.headers["content-security-policy"], /default-src 'none'.*frame-ancestors 'none'/);
  assert.equal(await status({ method: "POST", path: "/api/save", headers: own, body }), 409, "the file is not gone");
  assert.equal(readFileSync(join(folder, "cash.toml"), "utf8"), text);
  await server.stop();
  rmSync(folder, { recursive: true });
});

const MANY = 300;

/** A template of many combs, in rows of six. */
function writeMany(folder) {
  const field = (_, i) => `[[field]]\nname = "f${i}"\nkind = "integer"\n`
    + `comb = { at = [${10 + 32 * (i % 6)}, ${10 + 5.5 * Math.floor(i / 6)}], cell = [4, 4.5], groups = [6] }\n`;
  writeFileSync(join(folder, "many.toml"), `name = "many"\ntitle = "Many fields"\npage = [210, 297]\n\n${Array.from({ length: MANY }, field).join("\n")}`);
}

withEditor(`${MANY} fields on a page are dragged; the time is printed`, async ({ page }) => {
  await page.waitForFunction(() => document.querySelector(".sheet img").complete);
  const start = middleOf(await boxOf(page, 40));
  await page.mouse.move(...start);
  await page.mouse.down();
  const { handler, frames } = await page.evaluate(async ([x, y]) => {
    const svg = document.querySelector(".sheet svg");
    const frame = () => new Promise((resolve) => { requestAnimationFrame(resolve); });
    const handler = [];
    const frames = [];
    let last = await frame();
    for (let step = 1; step <= 180; step += 1) {
      const from = performance.now();
      svg.dispatchEvent(new PointerEvent("pointermove", { clientX: x + step / 4, clientY: y + step / 4, bubbles: true }));
      handler.push(performance.now() - from);
      const now = await frame();
      frames.push(now - last);
      last = now;
    }
    return { handler: handler.sort((a, b) => a - b), frames: frames.sort((a, b) => a - b) };
  }, start);
  const before = await textOf(page);
  const from = Date.now();
  await page.mouse.up();
  await page.waitForFunction((before) => document.getElementById("toml").value !== before, before);
  const taken = Date.now() - from;
  const at = (sorted, share) => sorted[Math.floor(share * (sorted.length - 1))].toFixed(1);
  console.log(`${MANY} fields: a step of a drag takes ${at(handler, 0.5)} ms (95 %: ${at(handler, 0.95)}); a frame comes after ${at(frames, 0.5)} ms (95 %: ${at(frames, 0.95)}); the text has it after ${taken} ms`);
  await look(page, "editor-many");
}, { args: ["many.toml", "blank.png"], prepare: writeMany });
