// The page of a review. It shows one field after the other and sends what is keyed. It never knows what the machine has read.
//
// Fields come eight at a time, with their pictures. An answer is sent in the background, in order, until it is acknowledged; its
// identifier makes sure that it counts once. A key never answers a field that was not on the screen when it was pressed.

import { showGroup } from "/groups.js";
import { showPages } from "/pages.js";
import { checked, shown } from "/value.js";

const texts = await (await fetch("/texts.json")).json();

/** A text of the page, with what is in braces filled in. */
function text(name, values = {}) {
  const found = texts[name] ?? name;
  return found.replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
}

const screen = document.getElementById("screen");
const notice = document.getElementById("notice");
const progress = document.getElementById("progress");
const bar = document.getElementById("bar");

const N_AHEAD_SHOWN = 3;
const RETRY_MS = 800;
const PACE_ANSWERS = 20;
const SCROLLED = 0.8; // part of a picture's frame that one key moves

/** What the page knows. */
const state = {
  context: "none", // how much of a page may be shown
  zoom: 0, // which of them is shown
  fields: [], // the field on the screen, then those ahead
  pictures: new Map(), // by address: { image, isReady, fault }
  painted: null, // the item whose picture is on the screen
  held: [], // keys that were pressed before the picture was painted
  outbox: [], // answers that are not acknowledged
  isSending: false,
  answered: [], // times of the last answers
  nAnswers: 0,
  left: 0,
  leftForAll: 0,
  isOver: false,
  isAmongPages: false, // the list of pages is on the screen
  group: null, // a group of like digits that is asked; then there are no fields
  shownGroup: null, // the one that is on the screen: { group, root }
};

function say(words, isWarning = false) {
  notice.textContent = words;
  notice.classList.toggle("is-warning", isWarning);
}

/** An element with attributes and children. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== null) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

/** Posts JSON. Throws { status, fault, detail } where it is refused, and a TypeError where nobody answers. */
async function post(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    credentials: "same-origin",
  });
  if (response.ok) return response.status === 204 ? null : response.json();
  const refused = await response.json().catch(() => ({}));
  throw { status: response.status, fault: refused.fault ?? "", detail: refused.detail ?? "" };
}

// ---- fields and pictures

/** Takes what the server has for this session. What was answered here and is on its way is not asked again. */
function take(hand) {
  const onWay = new Set(state.outbox.map((answer) => answer.item));
  const current = state.fields[0];
  const fresh = hand.fields.filter((field) => !onWay.has(field.item));
  // the field on the screen stays there
  const rest = fresh.filter((field) => field.item !== current?.item);
  state.fields = current && !onWay.has(current.item) && (fresh.length > rest.length || state.held.length > 0)
    ? [current, ...rest]
    : fresh;
  state.group = hand.group ?? null;
  state.left = hand.left;
  state.leftForAll = hand.left_for_all;
  const kept = new Set(state.fields.map((field) => field.picture));
  for (const address of state.pictures.keys()) if (!kept.has(address)) state.pictures.delete(address);
  state.fields.forEach(fetchPicture);
  showProgress();
}

function fetchPicture(field) {
  if (state.pictures.has(field.picture)) return;
  const image = new Image();
  image.alt = field.is_page ? text("picture-of-page", { form: field.form }) : text("picture-of", { field: field.field });
  const picture = { image, isReady: false, fault: "" };
  state.pictures.set(field.picture, picture);
  image.src = field.picture;
  image.decode().then(
    () => { picture.isReady = true; paint(); },
    () => { picture.isReady = true; picture.fault = text("picture-missing", { detail: field.field }); paint(); },
  );
}

// ---- the screens

let input, output, crop, heading, formTitle, hint, aheadList, contextButton, work, dialog;

function buildWork() {
  heading = element("h2", { id: "field" });
  formTitle = element("span", { class: "form" });
  hint = element("p", { class: "hint", id: "hint" });
  crop = element("div", { class: "crop", role: "group", "aria-labelledby": "field" });
  input = element("input", {
    id: "keyed", inputmode: "decimal", autocomplete: "off", autocapitalize: "off", spellcheck: "false",
    "aria-describedby": "hint", oninput: preview,
  });
  output = element("output", { for: "keyed", "aria-live": "off" });
  aheadList = element("ol", { "aria-hidden": "true" });
  const button = (name, key, act, isMain = false) =>
    element("button", { type: "button", class: isMain ? "main" : null, onclick: () => { act(); input.focus(); } }, text(name), element("kbd", {}, key));
  const keys = element("div", { class: "keys" },
    button("next", text("next-key"), () => submit(), true),
    button("blank", "+", () => answer({ key: "blank" })),
    button("illegible", "*", () => answer({ key: "illegible" })),
    button("later", "/", putOff),
    button("undo", "−", undo));
  contextButton = button("context", ".", showContext);
  if (state.context !== "none") keys.append(contextButton);
  if (state.context === "page") keys.append(element("button", { type: "button", onclick: openPages }, text("pages-button"), element("kbd", {}, "P")));
  keys.append(button("help", "?", () => dialog.showModal()));
  work = element("div", { class: "work" },
    element("section", { class: "card", "aria-labelledby": "field" },
      element("div", { class: "what" }, heading, formTitle), crop,
      element("div", { class: "keyed" }, element("label", { for: "keyed" }, text("key-what")), input),
      element("div", { class: "below" }, hint, output), keys),
    element("aside", { class: "ahead", "aria-label": text("ahead") }, element("h3", {}, text("ahead")), aheadList));
  dialog = helpDialog();
}

function helpDialog() {
  const row = ([name, pad, letter]) =>
    element("tr", {}, element("th", { scope: "row" }, text(name)), element("td", {}, element("kbd", {}, pad)), element("td", {}, letter ? element("kbd", {}, letter) : ""));
  const rows = [["next", text("next-key"), ""], ["blank", "+", "B"], ["illegible", "*", "U"], ["later", "/", "L"], ["undo", "−", "Z"]];
  if (state.context !== "none") rows.push(["context", ".", "C"]);
  if (state.context === "page") rows.push(["pages-button", "P", ""]);
  const made = element("dialog", { "aria-labelledby": "help-title" },
    element("h2", { id: "help-title" }, text("help-title")), element("p", {}, text("help-text")),
    element("table", {}, element("tbody", {}, ...rows.map(row))),
    element("button", { type: "button", class: "main", onclick: () => made.close() }, text("help-close")));
  made.addEventListener("close", () => input.focus());
  return made;
}

function kindOf(field) {
  const kinds = {
    amount: field.decimals === 0 ? "kind-amount-whole" : field.has_all_decimals ? "kind-amount" : "kind-amount-written",
    date: `kind-date-${field.order}`,
  };
  const name = kinds[field.kind] ?? `kind-${field.kind}`;
  const words = [text(name, { values: field.values.join(", "), n: field.kind === "amount" ? field.decimals : field.max_digits })];
  if (field.is_signed) words.push(text("signed"));
  if (field.fillers_mean !== null) words.push(field.fillers_mean === "" ? text("fillers-blank") : text("fillers-mean", { value: field.fillers_mean }));
  return words.join("; ");
}

/** Shows the first field once its picture is there, and the pictures of those that follow. */
function paint() {
  if (state.isOver || state.isAmongPages) return;
  const field = state.fields[0];
  if (!field && state.group) return paintGroup();
  if (!field) return state.outbox.length > 0 ? say(text("waiting")) : showDone();
  if (!work) buildWork();
  if (screen.firstChild !== work) screen.replaceChildren(work, dialog);
  const picture = state.pictures.get(field.picture);
  if (state.painted !== field.item) {
    heading.textContent = field.field;
    formTitle.textContent = field.form;
    hint.textContent = field.is_page ? text("find-field", { kind: kindOf(field) }) : kindOf(field);
    frame(field.is_page);
    if (!field.is_page) crop.classList.remove("is-large");
    if (!picture?.isReady) {
      crop.replaceChildren(element("p", {}, text("waiting")));
    } else {
      state.zoom = 0;
      nameContextButton();
      input.value = "";
      input.inputMode = field.kind === "choice" ? "text" : "decimal";
      const shownNow = picture.fault ? element("p", {}, picture.fault) : picture.image;
      // a page stays as it is while its fields are keyed
      if (crop.firstChild !== shownNow) crop.replaceChildren(shownNow);
      if (field.is_page && !picture.fault) scrollToField(picture.image, field.item, "page");
      // a frame later it is on the screen
      requestAnimationFrame(() => requestAnimationFrame(() => {
        if (state.fields[0]?.item !== field.item) return;
        state.painted = field.item;
        performance.mark("painted", { detail: field.item });
        release();
      }));
      if (document.activeElement !== input && !dialog.open) input.focus();
    }
    preview();
  }
  const ahead = state.fields.slice(1, 1 + N_AHEAD_SHOWN).filter((next) => !next.is_page).map((next) => state.pictures.get(next.picture)).filter((next) => next?.isReady && !next.fault);
  // the same element moves to the screen: a copy would be fetched again
  aheadList.replaceChildren(...ahead.map((next) => element("li", {}, next.image)));
}

/** Shows the group that is asked, where it is not on the screen. */
function paintGroup() {
  const { group, shownGroup } = state;
  if (screen.firstChild === shownGroup?.root && shownGroup.group === group.group) return;
  const send = (struck) => {
    state.group = null;
    state.shownGroup = null;
    say(text("waiting"));
    push({ group: group.group, struck });
  };
  state.painted = null;
  state.shownGroup = { group: group.group, root: showGroup({ text, element, screen, group, send, undo }) };
}

/** Makes the frame one that a picture larger than it is scrolled in, or not. */
function frame(isContext) {
  crop.classList.toggle("is-context", isContext);
  // what can be scrolled can be reached
  if (isContext) crop.setAttribute("tabindex", "0");
  else crop.removeAttribute("tabindex");
}

/** Gives the field on the screen the digits that were keyed while it came. What ended a value before is not repeated: nobody saw it. */
function release() {
  const held = state.held.splice(0);
  const end = held.findIndex((key) => key === "Enter");
  const keys = state.fields[0]?.kind === "choice" ? /^[0-9A-Za-z]$/ : /^[0-9.,/-]$/;
  for (const key of end < 0 ? held : held.slice(0, end)) if (keys.test(key)) input.value += key;
  if (end >= 0) say(text("held"), true);
  preview();
}

function preview() {
  const field = state.fields[0];
  if (!field || !input) return;
  const value = input.value.trim() === "" ? "" : shown(field, input.value);
  output.textContent = value === "" || value === input.value.trim() ? "" : text("preview", { value });
}

function showProgress() {
  const part = (words) => element("span", {}, words);
  const parts = [part(text("left", { n: state.left.toLocaleString() }))];
  const n = state.answered.length;
  if (n > 4 && state.left > 0) {
    const perMinute = (60000 * (n - 1)) / Math.max(1, state.answered[n - 1] - state.answered[0]);
    const minutes = Math.ceil(state.left / Math.max(perMinute, 0.1));
    const time = minutes < 60 ? text("minutes", { n: minutes }) : text("hours", { h: Math.floor(minutes / 60), m: minutes % 60 });
    parts.push(part(text("pace", { n: Math.round(perMinute) })), part(text("time-left", { time })));
  }
  if (state.leftForAll > state.left) parts.push(part(text("left-for-others", { n: state.leftForAll - state.left })));
  progress.replaceChildren(...parts);
  const all = state.nAnswers + state.left;
  bar.value = all === 0 ? 1 : state.nAnswers / all;
}

async function showDone() {
  const others = state.leftForAll - state.left;
  const card = element("section", { class: "card message" },
    element("h2", {}, text("done-title")), element("p", {}, text("done-text")),
    element("p", {}, text("done-answers", { n: state.nAnswers })));
  if (others > 0) card.append(element("p", {}, text("done-others", { n: others })));
  const again = element("button", { type: "button", class: "main", onclick: begin }, text("done-check"));
  const back = element("button", { type: "button", onclick: undo }, text("undo"), element("kbd", {}, "−"));
  state.painted = null;
  say("");
  const summary = await post("/api/summary", {}).catch(() => null);
  if (summary?.audit.read > 0) card.append(...auditPart(summary.audit));
  const hasPages = summary && Object.keys(summary.pages_to_see).length > 0;
  if (hasPages) card.append(...pagesPart(summary.pages_to_see));
  const pages = element("button", { type: "button", class: "main", onclick: openPages }, text("pages-button"), element("kbd", {}, "P"));
  const maySee = state.context === "page";
  card.append(element("div", { class: "keys" }, ...(maySee ? [pages] : []), again, back));
  if (state.fields.length > 0 || state.isOver || state.isAmongPages) return;
  screen.replaceChildren(card);
  (maySee && hasPages ? pages : again).focus();
}

function auditPart({ drawn, read, wrong, error, error_at_most }) {
  const percent = (share) => `${(100 * share).toFixed(2)} %`;
  const words = text("audit-text", { read, wrong, share: percent(error), bound: percent(error_at_most) });
  const part = [element("h3", {}, text("audit-title")), element("p", {}, words)];
  if (drawn > read) part.push(element("p", {}, text("audit-unread", { unread: drawn - read })));
  return part;
}

/** How many pages there are on which there is more than fields to key. */
function pagesPart(byReason) {
  const words = (reason) => texts[`reason-${reason}`] ?? reason;
  const n = Object.values(byReason).reduce((sum, count) => sum + count, 0);
  const counts = Object.entries(byReason).map(([reason, count]) => element("li", {}, `${words(reason)}: ${count}`));
  return [element("h3", {}, text("pages-title")), element("p", {}, text("pages-text", { n })), element("ul", {}, ...counts)];
}

/** Shows the pages, and comes back to the fields. */
async function openPages() {
  await flushed();
  if (state.isOver || state.isAmongPages) return;
  state.isAmongPages = true;
  const leave = () => {
    state.isAmongPages = false;
    state.painted = null;
    state.fields = [];
    say("");
    begin();
  };
  try {
    await showPages({ text, element, post, say, screen, leave });
  } catch (refused) {
    leave();
  }
}

function showEnter(words = "") {
  const token = element("input", { id: "token", autocomplete: "off", spellcheck: "false", type: "password" });
  const form = element("form", { onsubmit: (event) => { event.preventDefault(); enter(token.value.trim()); } },
    element("label", { for: "token" }, text("enter-label"), token),
    element("button", { class: "main" }, text("enter-button")));
  screen.replaceChildren(element("section", { class: "card message" },
    element("h2", {}, text("enter-title")), element("p", {}, text("enter-help")), form));
  say(words, words !== "");
  token.focus();
}

// ---- answers

function submit() {
  const field = state.fields[0];
  const keyed = input.value.trim();
  if (keyed === "") return say(text("empty"), true);
  const fault = checked(field, keyed);
  if (fault) return say(text(`fault-${fault}`), true);
  answer({ keyed });
}

/** Answers the field on the screen, and shows the next one. */
function answer(said) {
  const field = state.fields[0];
  if (!field || state.painted !== field.item) return;
  say("");
  state.fields.shift();
  state.painted = null;
  state.nAnswers += 1;
  state.left = Math.max(0, state.left - 1);
  state.answered = [...state.answered, performance.now()].slice(-PACE_ANSWERS);
  push({ item: field.item, ...said });
}

/** Sends what was said of a field or a group, and shows what comes next. */
function push(said) {
  state.outbox.push({ id: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`, ...said });
  paint();
  showProgress();
  send();
}

/** Sends the answers one by one until each is acknowledged. */
async function send() {
  if (state.isSending) return;
  state.isSending = true;
  while (state.outbox.length > 0 && !state.isOver) {
    const sent = state.outbox[0];
    try {
      const hand = await post(sent.group === undefined ? "/api/answer" : "/api/group", sent);
      state.outbox.shift();
      if (sent.group !== undefined) say("");
      if (notice.dataset.offline) { delete notice.dataset.offline; say(""); }
      take(hand);
      paint();
    } catch (refused) {
      await refuse(sent, refused);
    }
  }
  state.isSending = false;
}

async function refuse(sent, { status, fault, detail }) {
  if (status === undefined) {
    notice.dataset.offline = "yes";
    say(text("offline", { n: state.outbox.length }), true);
    return new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  if (status === 401) return over("session-ended");
  if (status === 503) return over("not-stored", detail);
  state.outbox.shift();
  if (sent.group === undefined) state.nAnswers -= 1;
  const key = `fault-${fault}`;
  say(["already-read", "no-group"].includes(fault) ? text(fault) : texts[key] ? text(key) : text("fault-other", { detail: detail || fault }), true);
  state.fields = [];
  state.painted = null;
  take(await post("/api/hand", {}));
  paint();
}

/** Ends the page: nothing can be answered any more. */
function over(name, detail = "") {
  state.isOver = true;
  const words = text(name, { detail, n: state.outbox.length });
  screen.replaceChildren(element("section", { class: "card message" }, element("p", {}, words)));
  say("");
}

/** Waits until all answers are acknowledged. */
async function flushed() {
  while (state.outbox.length > 0 && !state.isOver) await new Promise((resolve) => setTimeout(resolve, 10));
}

async function change(path, body, words) {
  await flushed();
  try {
    const hand = await post(path, body);
    state.fields = [];
    state.painted = null;
    state.shownGroup = null;
    take(hand);
    say(words);
    paint();
    return true;
  } catch (refused) {
    if (refused.status === 401) over("session-ended");
    else say(refused.fault === "nothing-to-undo" ? text("nothing-to-undo") : text("fault-other", { detail: refused.detail ?? "" }), true);
    // the keys of a group are dead once one of them was used
    state.shownGroup = null;
    paint();
    return false;
  }
}

async function undo() {
  if (await change("/api/undo", {}, text("undone")) && !state.group) state.nAnswers = Math.max(0, state.nAnswers - 1);
  showProgress();
}

function putOff() {
  const field = state.fields[0];
  if (field) change("/api/later", { item: field.item }, text("put-off"));
}

/** Shows more of the page, as far as that is allowed, then the field alone again. */
function showContext() {
  const field = state.fields[0];
  const steps = contextSteps();
  if (!field || state.painted !== field.item || steps.length < 2) return;
  if (field.is_page) {
    crop.classList.toggle("is-large");
    nameContextButton();
    return scrollToField(state.pictures.get(field.picture).image, field.item, "page");
  }
  state.zoom = (state.zoom + 1) % steps.length;
  const image = state.zoom === 0 ? state.pictures.get(field.picture).image : Object.assign(new Image(), { alt: text("picture-of", { field: field.field }), src: `/${steps[state.zoom]}/${field.item}` });
  frame(state.zoom > 0);
  crop.replaceChildren(image);
  nameContextButton();
  if (state.zoom > 0) scrollToField(image, field.item, steps[state.zoom]);
}

/** Brings the field into the middle of the frame. */
async function scrollToField(image, item, context) {
  const [at] = await Promise.all([post("/api/place", { item, context }), image.decode()]).catch(() => [null]);
  if (at === null || crop.firstChild !== image) return;
  crop.scrollTo({
    left: image.offsetLeft - crop.offsetLeft + at[0] * image.clientWidth - crop.clientWidth / 2,
    top: image.offsetTop - crop.offsetTop + at[1] * image.clientHeight - crop.clientHeight / 2,
  });
}

/** What may be shown of a page, one after the other. */
function contextSteps() {
  return ["crop", "strip", "page"].slice(0, { none: 1, strip: 2, page: 3 }[state.context]);
}

/** Names what the key shows next. */
function nameContextButton() {
  if (state.fields[0]?.is_page) {
    contextButton.firstChild.textContent = text(crop.classList.contains("is-large") ? "page-smaller" : "page-larger");
    return;
  }
  const isLast = state.zoom === contextSteps().length - 1;
  contextButton.firstChild.textContent = isLast ? text("context-none") : text("context");
}

// ---- keys

const LETTERS = { b: "+", u: "*", l: "/", z: "undo", c: ".", p: "pages", "?": "?" };

/** What a key does here; null where it belongs to the input. */
function actionOf(event, field) {
  const isEmpty = input.value === "";
  // the values of a choice are letters
  const letters = field.kind === "choice" ? {} : LETTERS;
  const key = event.ctrlKey || event.metaKey ? (event.key === "z" ? "undo" : "") : letters[event.key.toLowerCase()] ?? event.key;
  switch (key) {
    case "Enter": return submit;
    case "+": return () => answer({ key: "blank" });
    case "*": return () => answer({ key: "illegible" });
    case "undo": return undo;
    case "/": return isEmpty || field.kind !== "date" ? putOff : null;
    case "-":
      if (isEmpty && !field.is_signed) return undo;
      return input.value === "-" ? undo : null;
    case ".": case ",": return isEmpty && state.context !== "none" ? showContext : event.key === "c" ? () => {} : null;
    case "?": return () => dialog.showModal();
    case "pages": return state.context === "page" ? openPages : () => {};
    case "PageDown": return () => crop.scrollBy(0, SCROLLED * crop.clientHeight);
    case "PageUp": return () => crop.scrollBy(0, -SCROLLED * crop.clientHeight);
    default: return null;
  }
}

document.addEventListener("keydown", (event) => {
  const field = state.fields[0];
  if (!work || screen.firstChild !== work || dialog.open || !field) {
    if (!screen.querySelector(".message") || event.target.tagName === "INPUT") return;
    if (event.key === "-") { event.preventDefault(); undo(); }
    if (event.key === "p" && state.context === "page") openPages();
    return;
  }
  if (event.altKey || (event.target.tagName === "BUTTON" && (event.key === "Enter" || event.key === " "))) return;
  if (state.painted !== field.item) {
    // type-ahead waits for the picture
    if (event.key.length === 1 || event.key === "Enter") { event.preventDefault(); state.held.push(event.key); }
    return;
  }
  const action = actionOf(event, field);
  if (action) {
    event.preventDefault();
    action();
  } else if (event.target !== input && event.key.length === 1 && !event.ctrlKey && !event.metaKey) {
    input.focus();
  }
});

// ---- begin

async function begin() {
  try {
    take(await post("/api/hand", {}));
    paint();
  } catch (refused) {
    if (refused.status === 401) showEnter();
    else say(text("offline", { n: 0 }), true);
  }
}

async function enter(token) {
  try {
    const entered = await post("/api/enter", { token });
    state.context = entered.context;
    history.replaceState(null, "", "/");
    say("");
    await begin();
  } catch (refused) {
    showEnter(token === "" ? "" : refused.status === undefined ? text("offline", { n: 0 }) : text("enter-wrong"));
  }
}

addEventListener("pagehide", () => navigator.sendBeacon("/api/rest", new Blob(["{}"], { type: "application/json" })));
addEventListener("beforeunload", (event) => { if (state.outbox.length > 0) event.preventDefault(); });
addEventListener("hashchange", () => enter(location.hash.slice(1)));

await enter(location.hash.slice(1));
