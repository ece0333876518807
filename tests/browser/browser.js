// The browser of the system, without a window, and what the tests do with its pages.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PICTURES = process.env.PICTURES ?? new URL("../../target/browser", import.meta.url).pathname;
const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

export async function launch() {
  mkdirSync(PICTURES, { recursive: true });
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
}

/** A page of its own session. It notes every request, every response with text, and every fault. */
export async function openPage(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1180, height: 760 }, ...options });
  const page = await context.newPage();
  const seen = { requests: [], texts: [], faults: [] };
  page.on("request", (request) => seen.requests.push(request));
  page.on("pageerror", (error) => seen.faults.push(error.message));
  page.on("console", (message) => { if (message.type() === "error") seen.faults.push(message.text()); });
  page.on("response", async (response) => {
    if (response.request().resourceType() !== "image") seen.texts.push(await response.text().catch(() => ""));
  });
  return { page, seen, close: () => context.close() };
}

/** Waits until a field is on the screen that is not `before`: its number. */
export async function painted(page, before = null) {
  const handle = await page.waitForFunction((before) => {
    const marks = performance.getEntriesByName("painted");
    const last = marks.at(-1)?.detail;
    const image = document.querySelector(".crop img");
    return last !== undefined && last !== before && image?.getAttribute("src") === `/crop/${last}` ? { item: last } : false;
  }, before);
  return (await handle.jsonValue()).item;
}

/** Takes a picture of the screen, in light and dark, and asserts that axe finds nothing, there and at 200 %. */
export async function look(page, name) {
  for (const scheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.screenshot({ path: join(PICTURES, `${name}-${scheme}.png`) });
    await assertAccessible(page, `${name}, ${scheme}`);
  }
  await page.emulateMedia({ colorScheme: "light" });
  const size = page.viewportSize();
  await page.setViewportSize({ width: Math.round(size.width / 2), height: Math.round(size.height / 2) });
  await assertAccessible(page, `${name}, 200 %`);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(overflow <= 0, `${name}: at 200 % one must scroll sideways by ${overflow}`);
  await page.setViewportSize(size);
}

async function assertAccessible(page, name) {
  await page.evaluate(AXE);
  const found = await page.evaluate(() => window.axe.run());
  const words = found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`);
  assert.deepEqual(words, [], name);
}
