// What is edited: a text, and what follows from it. It knows nothing of the screen.
//
// The text is the truth. A change is asked of the server, which gives the text after it; undo goes back to an earlier text. Changes
// are made one after the other, in the order in which they were asked.

import { post, text } from "/dom.js";

export const session = {
  file: "",
  text: "",
  saved: "", // the text in the file
  base: null, // names the bytes of the file; null: it is gone
  view: null, // what the last text that is a template looks like
  fault: null, // why the text is no template: { detail, hint, line }
  selected: null, // index of a field
  picking: null, // { of: "sum" | "merge", field, picked: [] }
  moves: [], // moves of fields that the text does not have yet: { field, by: [left, top, width, height] }
  findings: null, // of `template check`; null until they are there
  isChecking: false,
  misfit: null,
  keys: [],
  sides: [],
};

const past = [];
const future = [];
const listeners = [];
let typed = null; // text that was typed and not yet read
let queue = Promise.resolve();

/** Calls `listener` after each change of the session. */
export function onChange(listener) {
  listeners.push(listener);
}

export function changed() {
  for (const listener of listeners) listener();
}

let say = () => {};
let askConflict = () => {};

/** How words get to the person, and how it is asked what becomes of a file that changed on the disk. */
export function setVoice(voice) {
  say = voice.say;
  askConflict = voice.askConflict;
}

/** Whether something was typed into the text that is not yet read. */
export const isTyped = () => typed !== null;
export const canUndo = () => past.length > 0 || typed !== null;
export const canRedo = () => future.length > 0;
export const isDirty = () => session.text !== session.saved || typed !== null || session.moves.length > 0;
export const selectedField = () => session.view?.fields[session.selected] ?? null;

function enqueue(work) {
  queue = queue.then(work).catch(report);
  return queue;
}

/** Says why something was refused, or that nobody answers. */
function report(refused) {
  if (refused.status === undefined) say(refused instanceof TypeError ? text("offline") : String(refused), true);
  else if (refused.status === 401) say(text("session-ended"), true);
  else say(refused.hint ? text("refused-hint", refused) : text("refused", refused), true);
  changed();
}

export async function open() {
  const { file, text: onDisk, sha256, misfit, keys, sides } = await post("/api/open", {});
  Object.assign(session, { file, text: onDisk, saved: onDisk, base: sha256, misfit, keys, sides });
  await show(onDisk);
  session.selected = 0;
  changed();
}

/** Shows a text: its fields, or what is wrong with it. */
async function show(shown) {
  try {
    const view = await post("/api/view", { text: shown });
    take(shown, view);
  } catch (refused) {
    if (refused.status !== 422) throw refused;
    session.text = shown;
    session.fault = refused;
    check();
    changed();
  }
}

function take(shown, view) {
  session.text = shown;
  session.view = view;
  session.fault = null;
  const n = view.fields.length;
  if (session.selected !== null) session.selected = Math.min(session.selected, n - 1);
  check();
  changed();
}

function remember() {
  past.push({ text: session.text, selected: session.selected });
  future.length = 0;
}

/** Reads what was typed into the text. */
async function readTyped() {
  if (typed === null) return;
  const read = typed;
  typed = null;
  if (read === session.text) return;
  remember();
  await show(read);
}

/** The text as it is being typed; it is read when the typing pauses, and before anything else is done. */
export function type(value) {
  typed = value;
  changed();
}

export function readText() {
  return enqueue(readTyped);
}

/** The text after a change; null where there is nothing to change. */
async function askFor(asked) {
  await readTyped();
  const wanted = typeof asked === "function" ? asked() : asked;
  if (wanted === null) return null;
  if (session.fault) {
    say(text("mend-first", session.fault), true);
    return null;
  }
  const after = await post("/api/change", { text: session.text, change: wanted });
  return after.text === session.text ? null : after;
}

/**
 * Makes a change, or that which `asked` gives when it is its turn. Resolves to whether it was made. From then on `move`, which
 * showed it, is not needed.
 */
export function change(asked, move = null) {
  let isMade = false;
  return enqueue(async () => {
    const after = await askFor(asked).finally(() => { session.moves = session.moves.filter((other) => other !== move); });
    if (after === null) return changed();
    remember();
    if (after.field !== null) session.selected = after.field;
    say(after.dropped.length > 0 ? text("dropped", { keys: after.dropped.join(", ") }) : "");
    take(after.text, after.view);
    isMade = true;
  }).then(() => isMade);
}

/** Moves and stretches a field. `move` is shown until the text has it. */
export function place(move) {
  return change(() => {
    move.isSent = true;
    const { bounds } = session.view.fields[move.field] ?? {};
    if (!bounds || move.by.every((length) => length === 0)) return null;
    return { do: "place", field: move.field, bounds: bounds.map((length, i) => length + move.by[i]) };
  }, move);
}

let nudge = null; // the last move by keys

/** Moves and stretches the selected field by keys; presses that come faster than the server answers are made together. */
export function nudgeBy(by) {
  if (session.selected === null) return;
  if (nudge?.field !== session.selected || nudge.isSent) {
    nudge = { field: session.selected, by: [0, 0, 0, 0] };
    session.moves.push(nudge);
    place(nudge);
  }
  nudge.by = nudge.by.map((length, i) => length + by[i]);
  changed();
}

export function undo() {
  return enqueue(async () => {
    await readTyped();
    const before = past.pop();
    if (!before) return say(text("nothing-to-undo"));
    future.push({ text: session.text, selected: session.selected });
    session.selected = before.selected;
    say(text("undone"));
    await show(before.text);
  });
}

export function redo() {
  return enqueue(async () => {
    await readTyped();
    const after = future.pop();
    if (!after) return say(text("nothing-to-redo"));
    past.push({ text: session.text, selected: session.selected });
    session.selected = after.selected;
    say(text("redone"));
    await show(after.text);
  });
}

export function save() {
  return enqueue(async () => {
    await readTyped();
    try {
      const { sha256 } = await post("/api/save", { text: session.text, base: session.base });
      session.base = sha256;
      session.saved = session.text;
      say(text("saved", { file: session.file }));
      changed();
    } catch (refused) {
      if (refused.status !== 409) throw refused;
      askConflict(refused.now);
    }
  });
}

/** Takes the text that is on the disk; the one that was here is one step back. */
export function takeFromDisk(now) {
  return enqueue(async () => {
    remember();
    session.base = now.sha256;
    session.saved = now.text;
    await show(now.text);
  });
}

/** Replaces what is on the disk, which was seen. */
export function replaceOnDisk(now) {
  session.base = now?.sha256 ?? null;
  return save();
}

export function select(idx) {
  if (session.selected === idx) return;
  session.selected = idx;
  changed();
}

// ---- picking fields: the parts of a sum, or the one to merge with

export function pick(of) {
  if (session.selected === null) return;
  session.picking = { of, field: session.selected, picked: [] };
  changed();
}

export function cancelPick() {
  session.picking = null;
  changed();
}

/** Picks a field, or lets it go. The one to merge with is one. */
export function togglePicked(idx) {
  const { of, field, picked } = session.picking;
  if (idx === field) return;
  session.picking.picked = picked.includes(idx) ? picked.filter((other) => other !== idx) : of === "merge" ? [idx] : [...picked, idx];
  if (of === "merge") finishPick();
  else changed();
}

/** What the picking would do, in words of a rule. */
export function pickedRule() {
  const name = (idx) => session.view.fields[idx].name;
  const { field, picked } = session.picking;
  return `${name(field)} = ${picked.map(name).join(" + ")}`;
}

export function finishPick() {
  const { of, field, picked } = session.picking;
  if (picked.length === 0) return say(text("pick-some"), true);
  const asked = of === "merge" ? { do: "merge", field, with: picked[0] } : { do: "add-rule", text: pickedRule() };
  session.picking = null;
  change(asked);
  changed();
}

// ---- verdicts

/** Asks for the verdicts of the text; of several that changed meanwhile only the last one. */
async function check() {
  if (session.isChecking) return;
  session.isChecking = true;
  for (let asked = null; asked !== session.text;) {
    asked = session.text;
    try {
      session.findings = await post("/api/check", { text: asked });
    } catch {
      session.findings = null;
    }
  }
  session.isChecking = false;
  changed();
}
