// The editor of a template: the blank with its fields, the list of fields, the form of one, the verdicts and the text.
//
// session.js has the text and what follows from it; drawing.js draws it for the mouse; panels.js lists it; here are the tools, the
// keys, and how the page begins and ends.

import { element, namesOfTexts, post, text } from "/dom.js";
import { drawing, newBounds, setFocus, showSelected, togglePrint, zoomBy } from "/drawing.js";
import {
  buildKeys, deleteSelected, fieldList, fieldPanel, focusName, focusSelected, isOnField, orderBy, rulePanel, splitSelected, textPanel, verdictPanel,
} from "/panels.js";
import {
  canRedo, canUndo, cancelPick, change, changed, finishPick, isDirty, nudgeBy, onChange, open, pick, redo, replaceOnDisk, save, session,
  setVoice, takeFromDisk, undo,
} from "/session.js";

const FAST = 10; // steps of a key with Shift

const main = document.getElementById("main");
const notice = document.getElementById("notice");
const heading = document.getElementById("heading");

function say(words, isWarning = false) {
  notice.textContent = words;
  notice.classList.toggle("is-warning", isWarning);
}

// ---- tools

const tool = (words, onclick, key) => element("button", { type: "button", onclick, ...(key ? { title: key, "aria-keyshortcuts": key } : {}) }, words);
const tools = {
  save: tool(text("save"), save, "Control+S"),
  undo: tool(text("undo"), undo, "Control+Z"),
  redo: tool(text("redo"), redo, "Control+Y"),
  add: tool(text("new"), addField, "N"),
  smaller: tool("−", () => zoomBy(-1), "-"),
  larger: tool("+", () => zoomBy(1), "+"),
  whole: tool(text("whole"), () => zoomBy(0), "0"),
  print: tool(text("print"), () => tools.print.setAttribute("aria-pressed", togglePrint())),
  keys: tool(text("keys"), () => keys.showModal(), "?"),
};
tools.save.classList.add("main");
tools.smaller.setAttribute("aria-label", text("smaller"));
tools.larger.setAttribute("aria-label", text("larger"));
tools.print.setAttribute("aria-pressed", "true");

async function addField() {
  if (await change(() => ({ do: "add", bounds: newBounds(), after: session.selected ?? session.view.fields.length }))) focusSelected();
}

// ---- dialogs

const keyRow = (name) => {
  const [pressed, does] = text(name).split(" | ");
  return element("tr", {}, element("th", { scope: "row" }, element("kbd", {}, pressed)), element("td", {}, does));
};
const keys = element("dialog", { "aria-labelledby": "keys-title" },
  element("h2", { id: "keys-title" }, text("keys")),
  element("table", {}, element("tbody", {}, ...namesOfTexts("press-").map(keyRow))),
  element("button", { type: "button", class: "main", onclick: () => keys.close() }, text("close")));

const conflict = element("dialog", { "aria-labelledby": "conflict-title" });

/** The file changed on the disk: shows it, and asks which of the two is to be. */
function askConflict(now) {
  const choose = (act) => () => { conflict.close(); act(); };
  const onDisk = element("textarea", { readonly: "", rows: "14", wrap: "off", "aria-label": text("on-disk") });
  onDisk.value = now?.text ?? "";
  const buttons = [element("button", { type: "button", class: "main", onclick: choose(() => {}) }, text("cancel"))];
  if (now) buttons.push(element("button", { type: "button", onclick: choose(() => takeFromDisk(now)) }, text("take-disk")));
  buttons.push(element("button", { type: "button", onclick: choose(() => replaceOnDisk(now)) }, text("replace-disk")));
  conflict.replaceChildren(
    element("h2", { id: "conflict-title" }, text("conflict", { file: session.file })),
    element("p", {}, now ? text("conflict-help") : text("conflict-gone")),
    ...(now ? [onDisk] : []), element("div", { class: "buttons" }, ...buttons));
  conflict.showModal();
  if (now) showDifference(onDisk);
}

/** Marks the first line that differs from the text here. */
function showDifference(area) {
  const [theirs, ours] = [area.value, session.text].map((whole) => whole.split("\n"));
  const line = Math.max(0, theirs.findIndex((words, i) => words !== ours[i]));
  const start = theirs.slice(0, line).reduce((sum, words) => sum + words.length + 1, 0);
  area.setSelectionRange(start, start + (theirs[line]?.length ?? 0));
  area.scrollTop = Math.max(0, line - 2) * Number.parseFloat(getComputedStyle(area).lineHeight);
}

setVoice({ say, askConflict });

// ---- keys

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** What a key does wherever it is pressed; null where it belongs to something else. */
function everywhere(event) {
  const key = event.key.toLowerCase();
  if (event.ctrlKey || event.metaKey) {
    const isText = event.target.tagName === "INPUT";
    if (key === "s") return save;
    if (key === "z" && !isText) return event.shiftKey ? redo : undo;
    if (key === "y" && !isText) return redo;
  }
  if (key === "escape" && session.picking) return cancelPick;
  if (key === "escape" && event.target.closest?.(".panel form")) return focusSelected;
  return null;
}

/** What a key does while a field has the keys. */
function onField(event) {
  const arrow = ARROWS[event.key];
  if (session.picking) return event.key === "Enter" ? finishPick : null;
  if (arrow) {
    const step = session.view.step * (event.shiftKey ? FAST : 1);
    const [dx, dy] = arrow.map((direction) => direction * step);
    return () => nudgeBy(event.ctrlKey || event.altKey ? [0, 0, dx, dy] : [dx, dy, 0, 0]);
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  switch (event.key) {
    case "Enter": return focusName;
    case "Delete": case "Backspace": return deleteSelected;
    case "PageUp": return () => orderBy(-1);
    case "PageDown": return () => orderBy(1);
    case "n": case "N": return addField;
    case "s": case "S": return splitSelected;
    case "m": case "M": return () => pick("merge");
    case "r": case "R": return () => pick("sum");
    case "+": case "=": return () => zoomBy(1);
    case "-": return () => zoomBy(-1);
    case "0": return () => zoomBy(0);
    case "?": return () => keys.showModal();
    default: return null;
  }
}

document.addEventListener("keydown", (event) => {
  if (!session.view || document.querySelector("dialog[open]")) return;
  const action = everywhere(event) ?? (isOnField(event.target) ? onField(event) : null);
  if (!action) return;
  event.preventDefault();
  action();
});

// ---- begin and end

let shownSelected = null;

function render() {
  const dirty = isDirty();
  heading.textContent = dirty ? text("heading-dirty", { file: session.file }) : session.file;
  document.title = text("title-of", { heading: heading.textContent });
  tools.undo.disabled = !canUndo();
  tools.redo.disabled = !canRedo();
  tools.save.disabled = !dirty;
  if (shownSelected !== session.selected) {
    shownSelected = session.selected;
    showSelected();
  }
}

function build() {
  document.getElementById("tools").replaceChildren(...Object.values(tools));
  const skip = element("a", { class: "skip", href: "#field-title" }, text("skip"));
  skip.addEventListener("click", (event) => { event.preventDefault(); focusName(); });
  main.replaceChildren(
    element("div", { class: "left" }, skip, fieldList, rulePanel, verdictPanel), drawing,
    element("div", { class: "right" }, fieldPanel, textPanel));
  document.body.append(keys, conflict);
  buildKeys();
  setFocus(focusSelected);
  onChange(render);
}

function showEnter(words = "") {
  const token = element("input", { id: "token", autocomplete: "off", spellcheck: "false", type: "password" });
  const form = element("form", { onsubmit: (event) => { event.preventDefault(); enter(token.value.trim()); } },
    element("label", { for: "token" }, text("enter-label")), token, element("button", { class: "main" }, text("enter-button")));
  main.replaceChildren(element("section", { class: "panel message" }, element("h2", {}, text("enter-title")), element("p", {}, text("enter-help")), form));
  say(words, words !== "");
  token.focus();
}

async function enter(token) {
  try {
    await post("/api/enter", { token });
    history.replaceState(null, "", "/");
  } catch (refused) {
    return showEnter(token === "" ? "" : refused.status === undefined ? text("offline") : text("enter-wrong"));
  }
  say("");
  try {
    await open();
  } catch (refused) {
    return say(refused.status === undefined ? text("offline") : text("refused", refused), true);
  }
  build();
  changed();
  focusSelected();
}

addEventListener("beforeunload", (event) => { if (isDirty()) event.preventDefault(); });
addEventListener("hashchange", () => { if (!session.view) enter(location.hash.slice(1)); });

await enter(location.hash.slice(1));
