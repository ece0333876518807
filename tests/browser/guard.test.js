// Requests that no page of ours makes.

import assert from "node:assert/strict";
import { test } from "node:test";

import { answersOf, ask, makeRun, serve } from "./program.js";

test("foreign hosts and origins, changes by GET, paths and missing cookies are refused", async () => {
  const run = makeRun();
  const server = await serve(run.folder, ["--who", "ann"]);
  const { origin } = server;
  const token = new URL(server.address).hash.slice(1);
  const host = new URL(origin).host;
  const json = { "content-type": "application/json", origin };
  const body = JSON.stringify({ token });
  const status = async (asked) => (await ask(origin, asked)).status;

  assert.equal(await status({ headers: { host: "evil.example" } }), 421);
  assert.equal(await status({ headers: { host: `localhost:${new URL(origin).port}` } }), 200);
  assert.equal(await status({ method: "POST", path: "/api/enter", headers: { ...json, origin: "http://evil.example" }, body }), 403);
  assert.equal(await status({ method: "POST", path: "/api/enter", headers: { "content-type": "application/json" }, body }), 403, "no origin");
  assert.equal(await status({ headers: { origin: "null" } }), 403);
  assert.equal(await status({ method: "POST", path: "/api/enter", headers: { origin, "content-type": "text/plain" }, body }), 415);
  for (const path of ["/api/enter", "/api/hand", "/api/answer", "/api/group", "/api/undo", "/api/later", "/api/rest", "/api/summary"]) {
    assert.equal(await status({ path, headers: { host } }), 405, `${path} by GET`);
  }
  for (const path of ["/crop/0", "/strip/0", "/page/0", "/digit/0/0"]) assert.equal(await status({ path }), 401, path);
  for (const path of ["/../etc/passwd", "/crop/..%2f..%2fetc%2fpasswd", "/crop/-1", "/out.csv", "/%2e%2e/out.csv", "//etc/passwd"]) {
    assert.ok([400, 404].includes(await status({ path })), path);
  }
  for (const path of ["/api/hand", "/api/undo", "/api/summary"]) {
    assert.equal(await status({ method: "POST", path, headers: json, body: "{}" }), 401, path);
  }

  const entered = await ask(origin, { method: "POST", path: "/api/enter", headers: json, body });
  assert.equal(entered.status, 200);
  const [cookie] = entered.headers["set-cookie"];
  assert.match(cookie, /HttpOnly; SameSite=Strict/);
  const own = { ...json, cookie: cookie.split(";")[0] };
  const hand = JSON.parse((await ask(origin, { method: "POST", path: "/api/hand", headers: own, body: "{}" })).text);
  const [{ item }] = hand.fields;
  const picture = await ask(origin, { path: `/crop/${item}`, headers: own });
  assert.equal(picture.headers["content-type"], "image/png");
  assert.equal(picture.headers["cache-control"], "no-store");
  assert.match(picture.headers["content-security-policy"], /default-src 'none'.*frame-ancestors 'none'/);
  assert.equal(await status({ path: `/page/${item}`, headers: own }), 403, "more of the page is not allowed");
  assert.equal(await status({ path: "/crop/99999", headers: own }), 403, "a field that is not asked");
  assert.equal(await status({ path: "/digit/0/0", headers: own }), 403, "there are no groups");
  const struck = JSON.stringify({ id: "group", group: 0, struck: [] });
  assert.equal(await status({ method: "POST", path: "/api/group", headers: own, body: struck }), 409, "no group is before the session");
  const answer = (said) => ask(origin, { method: "POST", path: "/api/answer", headers: own, body: JSON.stringify(said) });
  assert.equal((await answer({ id: "one", item, key: "blank" })).status, 200);
  assert.equal((await answer({ id: "one", item, key: "blank" })).status, 200, "the same answer again");
  assert.equal((await answer({ id: "two", item, key: "blank" })).status, 409, "another answer to the same field");
  assert.equal((await answer({ id: "", item, key: "blank" })).status, 400);
  assert.equal((await answer({ id: "three", item: hand.fields[1].item, keyed: "x" })).status, 422);
  assert.deepEqual(answersOf(run.folder).map(({ id }) => id), ["one"]);
  await server.stop();
  run.remove();
});
