// The program under test: a run of the fixtures, the server of its review, and any other server.

import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = new URL("../..", import.meta.url).pathname;
const PROGRAM = process.env.FORMREAD ?? join(ROOT, "target/release/formread");

/** A folder with out.csv, made of the fixtures, and their scans; with others, which are no forms, as well. */
export function makeRun({ hasOthers = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "formread-browser-"));
  cpSync(join(ROOT, "fixtures/scans"), join(folder, "scans"), { recursive: true });
  if (hasOthers) {
    for (const name of ["colour.jpg", "turned.jpg"]) cpSync(join(ROOT, "fixtures/decode", name), join(folder, "scans", name));
    writeFileSync(join(folder, "scans/unknown.bmp"), lines(1240, 1754));
    writeFileSync(join(folder, "scans/zz-bad.png"), "no picture");
  }
  call(folder, ["run", "scans", "out.csv", "--quiet"], hasOthers ? 1 : 0);
  return { folder, remove: () => rmSync(folder, { recursive: true }) };
}

/** A page of lines, as BMP: no known form. */
function lines(width, height) {
  const offset = 54 + 256 * 4;
  const bmp = Buffer.alloc(offset + width * height, 255);
  bmp.fill(0, 0, offset);
  bmp.write("BM");
  for (const [at, value] of [[2, bmp.length], [10, offset], [14, 40], [18, width], [22, height], [46, 256]]) bmp.writeInt32LE(value, at);
  bmp.writeInt16LE(1, 26);
  bmp.writeInt16LE(8, 28);
  for (let grey = 0; grey < 256; grey += 1) bmp.fill(grey, 54 + 4 * grey, 57 + 4 * grey);
  for (let y = 150; y < height - 150; y += 90) bmp.fill(0, offset + y * width + 120, offset + y * width + 120 + ((y * 7) % 900) + 60);
  return bmp;
}

/** Makes every other accepted field of a run one that the machine is not quite sure of. */
export function makeDoubtful(folder) {
  const path = join(folder, "out.readings.jsonl");
  const pages = readFileSync(path, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line));
  for (const page of pages) {
    page.fields.forEach((field, i) => {
      if (field.state !== "accepted" || i % 2 === 1) return;
      Object.assign(field, { state: "review", value: "", reason: "low-confidence", confidence: "0.9000" });
      Object.assign(page.readings[i], { state: "low-confidence", confidence: 0.9 });
    });
    const open = page.fields.filter(({ state }) => state === "review").map(({ field }) => field);
    if (open.length > 0) Object.assign(page, { verdict: "review", attention: open.join(";") });
  }
  writeFileSync(path, pages.map((page) => `${JSON.stringify(page)}\n`).join(""));
}

/** A folder with out.csv of one scan under `n` names. All fields, blank ones included, await a person. */
export function makeLargeRun(n) {
  const folder = mkdtempSync(join(tmpdir(), "formread-browser-"));
  const name = (i) => `${String(i).padStart(5, "0")}.jpg`;
  mkdirSync(join(folder, "scans"));
  cpSync(join(ROOT, "fixtures/scans/office/page-0001.jpg"), join(folder, "scans", name(0)));
  call(folder, ["run", "scans", "out.csv", "--quiet"]);
  const record = JSON.parse(readFileSync(join(folder, "out.run.json"), "utf8"));
  const page = JSON.parse(readFileSync(join(folder, "out.readings.jsonl"), "utf8"));
  for (const field of page.fields) Object.assign(field, { state: "review", value: "", reason: "low-confidence" });
  for (const reading of page.readings) Object.assign(reading, { state: "low-confidence", confidence: 0.5 });
  Object.assign(page, { verdict: "review", attention: page.fields.map(({ field }) => field).join(";") });
  const names = Array.from({ length: n }, (_, i) => name(i));
  for (const copy of names.slice(1)) linkSync(join(folder, "scans", name(0)), join(folder, "scans", copy));
  record.scans = names.map((scan) => ({ ...record.scans[0], scan }));
  writeFileSync(join(folder, "out.run.json"), JSON.stringify(record));
  writeFileSync(join(folder, "out.readings.jsonl"), names.map((scan) => `${JSON.stringify({ ...page, scan })}\n`).join(""));
  return { folder, remove: () => rmSync(folder, { recursive: true }) };
}

export function call(folder, args, status = 0) {
  const called = spawnSync(PROGRAM, args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  if (called.status !== status) throw new Error(`${args.join(" ")} ended with ${called.status}: ${called.stderr}`);
  return called.stdout;
}

/** A list of reviewers in the folder; the token of each is the name and `-token`. No field is drawn by chance for a second person. */
export function listReviewers(folder, names) {
  const line = (name) => `${name} ${createHash("sha256").update(`${name}-token`).digest("hex")}\n`;
  writeFileSync(join(folder, "reviewers"), names.map(line).join(""));
  return ["--reviewers", "reviewers", "--second-looks", "0"];
}

/** Starts the server of the review. */
export function serve(folder, args) {
  return start(folder, ["review", "out.csv", "--scans", "scans", ...args]);
}

/** Servers that run. One that a failed test leaves does not keep the tests from ending, and ends with them. */
const running = new Set();
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));

/** Starts a server; resolves to its address and what ends it. */
export async function start(folder, args) {
  const child = spawn(PROGRAM, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  let talk = "";
  child.stderr.on("data", (data) => { talk += data; });
  const ended = new Promise((resolve) => child.once("exit", resolve)).finally(() => running.delete(child));
  const address = await new Promise((resolve, reject) => {
    let out = "";
    child.stdout.on("data", (data) => {
      out += data;
      if (out.includes("\n")) resolve(out.split("\n")[0]);
    });
    ended.then((status) => reject(new Error(`it ended with ${status}: ${talk}`)));
  });
  for (const held of [child, child.stdout, child.stderr]) held.unref();
  const stop = async (signal = "SIGTERM") => { child.ref(); child.kill(signal); return ended; };
  return { address, origin: new URL(address).origin, stop };
}

/** The status and the headers of a raw request. */
export function ask(origin, { method = "GET", path = "/", headers = {}, body = null }) {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, method, path, headers }, (response) => {
      let text = "";
      response.on("data", (data) => { text += data; });
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, text }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** The answers in the journal, in their order, those taken back left out. */
export function answersOf(folder) {
  const lines = readFileSync(join(folder, "out.review.jsonl"), "utf8").trimEnd().split("\n");
  const events = lines.map((line) => JSON.parse(line.slice(65)));
  const undone = new Set(events.flatMap((event) => (event.undo ? [event.undo.id] : [])));
  return events.flatMap((event) => (event.answer && !undone.has(event.answer.id) ? [event.answer] : []));
}

/** Rows of a CSV without quotes in it, as objects. */
export function rows(path) {
  const [head, ...lines] = readFileSync(path, "utf8").trimEnd().split("\n").map((line) => line.split(","));
  return lines.map((cells) => Object.fromEntries(head.map((name, i) => [name, cells[i]])));
}
