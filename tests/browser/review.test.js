// The review page, keyed in a real browser.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { launch, look, openPage, painted } from "./browser.js";
import { answersOf, call, listReviewers, makeDoubtful, makeRun, rows, serve } from "./program.js";

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser.close(); });

/** Runs `body` with a run of the fixtures. */
function withRun(name, body, options = {}) {
  test(name, { timeout: 600_000 }, async () => {
    const run = makeRun(options);
    try { await body(run.folder); } finally { run.remove(); }
  });
}

withRun("fields keyed on the number pad are answered once, each as it was on the screen", async (folder) => {
  const server = await serve(folder, ["--who", "ann", "--audit", "60"]);
  const { page, seen, close } = await openPage(browser);
  await page.goto(server.address);
  let item = await painted(page);
  assert.equal(page.url(), `${server.origin}/`, "the token is not left in the address");
  await look(page, "field");
  const n = 60;
  const keyed = [];
  for (let i = 0; i < n; i += 1) {
    const field = await page.locator("#field").textContent();
    const kind = await page.locator("#hint").textContent();
    const answer = i % 9 === 7 ? "+" : i % 9 === 8 ? "*" : kind.startsWith("date") ? "311226" : String(1000 + i);
    const keys = /^[+*]$/.test(answer) ? [answer] : [...answer, "Enter"];
    for (const key of keys) await page.keyboard.press(key === "Enter" ? "NumpadEnter" : key);
    keyed.push({ field, item, answer });
    item = await painted(page, item);
  }
  await page.waitForFunction(() => document.getElementById("notice").textContent === "");
  await page.keyboard.press("-");
  await page.waitForFunction(() => document.getElementById("notice").textContent.startsWith("Taken back"));
  assert.equal(await painted(page), keyed.at(-1).item, "the last field is asked again");
  keyed.pop();

  const sent = seen.requests.filter((request) => request.url().endsWith("/api/answer")).map((request) => request.postDataJSON());
  assert.deepEqual(sent.slice(0, -1).map(({ item }) => item), keyed.map(({ item }) => item));
  const stored = answersOf(folder);
  assert.equal(stored.length, keyed.length);
  stored.forEach(({ field, answer }, i) => {
    assert.equal(field, keyed[i].field);
    const said = { "+": "blank", "*": "illegible" }[keyed[i].answer];
    if (said) assert.equal(answer, said);
    else if (keyed[i].answer !== "311226") assert.ok(answer.value.replace(".", "").includes(keyed[i].answer), JSON.stringify(answer));
  });
  assert.equal(new Set(stored.map(({ id }) => id)).size, stored.length);
  const strangers = seen.requests.filter((request) => new URL(request.url()).origin !== server.origin);
  assert.deepEqual(strangers.map((request) => request.url()), [], "no request leaves the machine");
  assert.deepEqual(seen.faults, []);

  // what the machine has read is in nothing that the page got
  const guesses = rows(join(folder, "out.fields.csv")).map((row) => row.guess).filter((guess) => guess.length > 3);
  const got = seen.texts.join("\n") + (await page.content());
  assert.ok(guesses.length > 20);
  assert.deepEqual(guesses.filter((guess) => got.includes(`"${guess}"`) || got.includes(`>${guess}<`)), []);
  assert.ok(!got.includes("page-000"), "nor is the name of a scan");
  await close();
  assert.equal(await server.stop(), 0);
});

withRun("two people read what one and the machine do not agree on, and the final tables have it", async (folder) => {
  const list = listReviewers(folder, ["ann", "ben", "cem"]);
  const server = await serve(folder, list);
  const open = rows(join(folder, "out.fields.csv")).filter((row) => row.state === "review");
  let isSeen = false;
  const read = async (who) => {
    const { page, seen, close } = await openPage(browser);
    await page.goto(`${server.origin}/#${who}-token`);
    let n = 0;
    let item = null;
    // until nothing is left for this person
    while (await page.waitForFunction((before) => {
      if (document.querySelector(".message")) return "done";
      const last = performance.getEntriesByName("painted").at(-1)?.detail;
      return last !== undefined && last !== before && document.querySelector(".crop img")?.getAttribute("src") === `/crop/${last}` ? "field" : false;
    }, item).then((handle) => handle.jsonValue()) === "field") {
      item = await page.evaluate(() => performance.getEntriesByName("painted").at(-1).detail);
      await page.keyboard.press("*");
      n += 1;
    }
    if (!isSeen) await look(page, "done");
    isSeen = true;
    assert.deepEqual(seen.faults, []);
    await close();
    return n;
  };
  assert.equal(await read("ann"), open.length);
  let n = 0;
  // until nobody is asked anything
  for (let last = -1; last !== n;) {
    last = n;
    for (const who of ["ben", "cem", "ann"]) n += await read(who);
  }
  assert.ok(n > 0);
  await server.stop();
  const final = ["final.csv", "final.fields.csv", "final.review.csv"];
  const tables = ["once", "again"].map(() => {
    call(folder, ["review", "apply", "out.csv", "--out", "final.csv", "--overwrite"]);
    return final.map((file) => readFileSync(join(folder, file), "utf8")).join("\n");
  });
  assert.equal(tables[0], tables[1], "the same answers give the same bytes");
  const settled = rows(join(folder, "final.fields.csv")).filter((row) => row.reason === "illegible" && row.confidence === "");
  assert.ok(settled.length >= open.length);
  const status = JSON.parse(call(folder, ["review", "status", "out.csv", "--json"]));
  assert.equal(status.settled, settled.length);
  assert.equal(status.contested + status.unread + status.undecided, 0);
});

withRun("without a token, and with a wrong one, there is nothing to see", async (folder) => {
  const server = await serve(folder, listReviewers(folder, ["ann"]));
  const { page, close } = await openPage(browser);
  await page.goto(server.address);
  await page.waitForSelector("#token");
  await look(page, "enter");
  await page.keyboard.type("wrong");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#notice.is-warning");
  await page.keyboard.type("ann-token");
  await page.keyboard.press("Enter");
  await painted(page);
  await page.reload();
  await painted(page);
  await close();
  await server.stop();
});

withRun("page shows more of a scan where that is allowed, and its keys", async (folder) => {
  const server = await serve(folder, ["--who", "ann", "--context", "page"]);
  const { page, close } = await openPage(browser);
  await page.goto(server.address);
  await painted(page);
  for (const kind of ["strip", "page"]) {
    await page.keyboard.press(".");
    await page.waitForFunction((kind) => {
      const image = document.querySelector(".crop img");
      return image.getAttribute("src").startsWith(`/${kind}/`) && image.complete && image.naturalWidth > 0;
    }, kind);
    // the field is in the frame, once it was scrolled there
    await page.waitForFunction(async (kind) => {
      const [crop, image] = [document.querySelector(".crop"), document.querySelector(".crop img")];
      const item = performance.getEntriesByName("painted").at(-1).detail;
      const reply = await fetch("/api/place", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ item, context: kind }) });
      const [x, y] = await reply.json();
      const [frame, shown] = [crop.getBoundingClientRect(), image.getBoundingClientRect()];
      const at = { x: shown.left + x * shown.width, y: shown.top + y * shown.height };
      return at.x > frame.left && at.x < frame.right && at.y > frame.top + 10 && at.y < frame.bottom - 10;
    }, kind);
    if (kind === "page") assert.ok(await page.evaluate(() => { const crop = document.querySelector(".crop"); return crop.scrollHeight > crop.clientHeight; }), "the page is larger than its frame");
    await look(page, kind);
  }
  await page.keyboard.press(".");
  await page.keyboard.press("?");
  await page.waitForSelector("dialog[open]");
  await look(page, "keys");
  await page.keyboard.press("Escape");
  await page.keyboard.press("/");
  await page.waitForFunction(() => document.getElementById("notice").textContent.startsWith("Put off"));
  await close();
  await server.stop();
});

withRun("program that stops and comes back gets each answer once", async (folder) => {
  const list = listReviewers(folder, ["ann"]);
  const server = await serve(folder, [...list, "--audit", "40"]);
  const { page, close } = await openPage(browser);
  await page.goto(`${server.origin}/#ann-token`);
  let item = await painted(page);
  await page.keyboard.type("12");
  await page.keyboard.press("Enter");
  item = await painted(page, item);
  await page.waitForFunction(() => performance.getEntriesByName("painted").length > 1);
  await server.stop("SIGKILL");
  await page.keyboard.type("34");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#notice.is-warning");
  await look(page, "offline");
  const again = await serve(folder, [...list, "--audit", "40", "--listen", new URL(server.origin).host]);
  // the cookie is of the program that ended: the page asks for the token
  await page.waitForFunction(() => document.querySelector(".message")?.textContent.includes("session has ended"));
  assert.ok(answersOf(folder).length >= 1);
  await close();
  await again.stop();
});

withRun("pages without fields to key are looked at, decided, and the decision taken back", async (folder) => {
  const server = await serve(folder, ["--who", "ann", "--context", "page"]);
  const { page, seen, close } = await openPage(browser);
  await page.goto(server.address);
  const first = await painted(page);
  await page.keyboard.press("p");
  await page.waitForSelector(".pages");
  const heading = () => page.locator("aside h3").textContent();
  const notice = (start) => page.waitForFunction((start) => document.getElementById("notice").textContent.startsWith(start), start);
  const n = await page.locator(".pages li").count();
  assert.ok(n >= 3, `${n} pages`);
  assert.equal(await heading(), `Nobody has decided ${n} of ${n}`);
  await page.waitForFunction(() => { const image = document.querySelector(".crop img"); return image?.complete && image.naturalWidth > 0; });
  await look(page, "pages");
  await page.keyboard.press("1");
  await notice("Stored: Scan it again");
  assert.equal(await heading(), `Nobody has decided ${n - 1} of ${n}`);
  await page.keyboard.press("-");
  await notice("There is nothing to take back");
  await page.keyboard.press("3");
  await notice("Stored: Give it back");
  // a file that is no picture has none, and can be decided all the same
  await page.locator(".pages button", { hasText: "zz-bad.png" }).click();
  await page.waitForFunction(() => document.querySelector(".crop p")?.textContent === "There is no picture of this page.");
  await look(page, "page-without-picture");
  await page.keyboard.press("2");
  await notice(n > 3 ? "Stored: No form" : "Every page is decided");
  await page.locator(".pages button", { hasText: "zz-bad.png" }).click();
  await page.keyboard.press("-");
  await notice("Taken back");
  await page.keyboard.press("/");
  assert.equal(await painted(page), first, "the field that was asked is asked again");
  assert.deepEqual(seen.faults.filter((fault) => !fault.includes("404") && !fault.includes("409")), []);
  await close();
  await server.stop();
  const status = JSON.parse(call(folder, ["review", "status", "out.csv", "--json"]));
  const decisions = status.pages_to_see.map(({ decision }) => decision ?? "").sort();
  assert.deepEqual(decisions.filter((decision) => decision !== ""), ["give-back", "scan-again"]);
}, { hasOthers: true });

withRun("rejected page is keyed, field by field, as the form that is chosen", async (folder) => {
  const server = await serve(folder, ["--who", "ann", "--context", "page"]);
  const { page, seen, close } = await openPage(browser);
  await page.goto(server.address);
  const first = await painted(page);
  const notice = (start) => page.waitForFunction((start) => document.getElementById("notice").textContent.startsWith(start), start);
  const openList = async () => { await page.keyboard.press("p"); await page.waitForSelector(".pages"); };
  let item = first;
  /** Waits until a field is on the screen, with the picture of its page, and painted since the one before. */
  const asked = async (field) => {
    const handle = await page.waitForFunction(([field, before]) => {
      const last = performance.getEntriesByName("painted").at(-1)?.detail;
      const isPage = document.querySelector(".crop img")?.getAttribute("src").startsWith("/seen/");
      return last !== before && isPage && document.getElementById("field").textContent === field ? { last } : false;
    }, [field, item]);
    item = (await handle.jsonValue()).last;
  };
  await openList();
  await page.locator(".pages button", { hasText: "zz-bad.png" }).click();
  assert.equal(await page.locator(".keys button", { hasText: "Key its fields" }).count(), 0, "what has no picture is not keyed");
  await page.locator(".pages button", { hasText: "unknown.bmp" }).click();
  await page.keyboard.press("4");
  await page.waitForSelector("dialog[open] select");
  await look(page, "form");
  await page.keyboard.type("C1");
  await page.keyboard.press("Enter");
  await asked("votes_01");
  assert.ok((await page.locator("#hint").textContent()).startsWith("find it on the page: whole number"));
  await page.waitForFunction(() => { const crop = document.querySelector(".crop"); return crop.scrollHeight <= crop.clientHeight || crop.scrollTop > 0; });
  await look(page, "keyed-page");
  await page.evaluate(() => { document.querySelector(".crop img").dataset.same = "yes"; });
  const key = async (text) => { for (const name of [...text, "Enter"]) await page.keyboard.press(name); };
  const values = [["votes_01", "12"], ["votes_02", "30"], ["valid", "42"]];
  for (const [i, [field, value]] of values.entries()) {
    if (i > 0) await asked(field);
    await key(value);
  }
  await asked("invalid");
  assert.equal(await page.evaluate(() => document.querySelector(".crop img").dataset.same), "yes", "the picture stays while fields of the page are keyed");
  const before = await page.evaluate(() => document.querySelector(".crop img").clientWidth);
  await page.keyboard.press(".");
  await page.waitForFunction((before) => document.querySelector(".crop img").clientWidth > before, before);
  await look(page, "keyed-page-large");
  await page.keyboard.press(".");
  await page.waitForFunction((before) => document.querySelector(".crop img").clientWidth === before, before);
  await page.keyboard.press("-");
  await notice("Taken back");
  await asked("valid");
  await key("42");
  await asked("invalid");
  await page.waitForFunction(() => document.getElementById("notice").textContent === "");
  assert.deepEqual(answersOf(folder).filter(({ scan }) => scan.endsWith("unknown.bmp")).map(({ field, answer }) => [field, answer.value]), values);
  assert.deepEqual(seen.faults.filter((fault) => !fault.includes("404")), [], "only the file without a picture");
  call(folder, ["review", "apply", "out.csv", "--out", "final.csv"]);
  const keyed = rows(join(folder, "final.fields.csv")).filter(({ scan }) => scan.endsWith("unknown.bmp"));
  assert.deepEqual(keyed.filter(({ state }) => state === "accepted").map(({ form, field, value }) => [form, field, value]), values.map(([field, value]) => ["c1-2019", field, value]));
  assert.ok(keyed.filter(({ state }) => state === "review").length === keyed.length - values.length, "the others are still for review");

  // with the form its values are taken back
  await openList();
  await page.locator(".pages button", { hasText: "unknown.bmp" }).click();
  await page.waitForFunction(() => document.querySelector(".below .hint")?.textContent.startsWith("Its fields are keyed: C1"));
  await page.keyboard.press("-");
  await notice("Taken back");
  assert.deepEqual(answersOf(folder).filter(({ scan }) => scan.endsWith("unknown.bmp")), []);
  await close();
  await server.stop();
}, { hasOthers: true });

/** Waits until a group is on the screen that is not `before`: its number. */
async function paintedGroup(page, before = null) {
  const handle = await page.waitForFunction((before) => {
    const last = performance.getEntriesByName("painted-group").at(-1)?.detail;
    return last !== undefined && last !== before && document.querySelector(".digits") ? { group: last } : false;
  }, before);
  return (await handle.jsonValue()).group;
}

/** The groups in the journal, those taken back left out. */
function groupsOf(folder) {
  const events = readFileSync(join(folder, "out.review.jsonl"), "utf8").trimEnd().split("\n").map((line) => JSON.parse(line.slice(65)));
  const undone = new Set(events.flatMap((event) => (event.undo ? [event.undo.id] : [])));
  return events.flatMap((event) => (event.group && !undone.has(event.group.id) ? [event.group] : []));
}

withRun("groups of like digits are looked through by keyboard, and nothing shows which are known", async (folder) => {
  makeDoubtful(folder);
  const server = await serve(folder, ["--who", "ann", "--groups"]);
  const { page, seen, close } = await openPage(browser);
  await page.goto(server.address);
  // the pages are read again first
  for (;;) {
    await page.reload();
    await page.waitForFunction(() => document.querySelector(".digits") || performance.getEntriesByName("painted").length > 0);
    if (await page.locator(".digits").count() > 0) break;
  }
  const first = await paintedGroup(page);
  await look(page, "group");
  const n = await page.locator(".digits button").count();
  assert.ok(n >= 10 && n <= 26, `${n} crops`);
  const pressed = () => page.locator(".digits button").evaluateAll((cells) => cells.flatMap((cell, i) => (cell.getAttribute("aria-pressed") === "true" ? [i] : [])));
  await page.keyboard.press("c");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press(" ");
  await page.keyboard.press("6");
  await page.keyboard.press("6");
  await page.keyboard.press("5");
  assert.deepEqual(await pressed(), [1, 2, 3]);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("8");
  await page.keyboard.press("Space");
  assert.deepEqual(await pressed(), [1, 2], "the crop above the one below is the same");
  await look(page, "group-struck");
  const shown = await page.content();
  await page.keyboard.press("Enter");
  // a key that comes before the next group or field is painted is not an answer
  await page.waitForFunction((first) => {
    const last = performance.getEntriesByName("painted-group").at(-1)?.detail;
    return last !== first || performance.getEntriesByName("painted").length > 0;
  }, first);
  await page.waitForFunction(() => document.getElementById("notice").textContent === "");
  const [given] = groupsOf(folder);
  assert.deepEqual(given.shown.flatMap((shown, i) => (shown.struck ? [i] : [])), [1, 2], "each key was for the crop on the screen");
  assert.equal(given.shown.length, n);
  const strangers = given.shown.filter(({ stranger }) => stranger);
  assert.ok(strangers.length >= 2 && strangers.length <= 3);
  // taken back, and the same digits come again
  await page.keyboard.press("-");
  await page.waitForFunction(() => document.getElementById("notice").textContent.startsWith("Taken back"));
  assert.deepEqual(groupsOf(folder), []);
  await paintedGroup(page, first);

  // neither the page nor a request has what is known, or whose field it is
  const answers = seen.texts.filter((text) => text.startsWith("{")).map((text) => JSON.parse(text));
  const got = answers.filter(({ group }) => group).map((hand) => JSON.stringify(hand)).join("\n") + shown;
  assert.ok(got.includes(`"group":${first}`), "what the page got with the group");
  // "date" is a kind as well
  const secrets = given.shown.flatMap(({ scan, field, value }) => [scan, `"${field}"`, ...(value.length > 3 ? [`"${value}"`] : [])]);
  assert.deepEqual(secrets.filter((secret) => got.includes(secret)), []);
  const requests = seen.requests.map((request) => request.url()).filter((url) => url.includes("/digit/"));
  assert.ok(requests.every((url) => /\/digit\/\d+\/\d+$/.test(url)));
  assert.ok(!/stranger|known"|in_doubt/.test(got));

  // nobody has seen a crop whose picture did not come: it is struck
  await page.route(/\/digit\/\d+\/0$/, (route) => route.abort());
  await page.reload();
  await paintedGroup(page);
  assert.deepEqual(await pressed(), [0]);
  await close();
  assert.equal(await server.stop(), 0);
});
