// The list of fields, the form of the selected one, the rules, the verdicts and the text.

import { element, text } from "/dom.js";
import { change, isTyped, onChange, pick, readText, select, selectedField, session, togglePicked, type } from "/session.js";

const TYPING_PAUSE_MS = 400;

/** A part of the page with a heading. */
function panel(id, ...children) {
  return element("section", { class: "panel", "aria-labelledby": id }, ...children);
}

// ---- the list

const list = element("ol", { class: "list" });
const count = element("span", { class: "quiet" });
export const fieldList = panel("fields-title", element("h2", { id: "fields-title" }, text("fields"), " ", count), list);

function listButton(idx) {
  const onfocus = () => { if (!session.picking) select(idx); };
  const onclick = () => { if (session.picking) togglePicked(idx); else select(idx); };
  const parts = [element("span", { class: "name" }), element("span", { class: "quiet" })];
  return element("li", {}, element("button", { type: "button", class: "field", onfocus, onclick }, ...parts));
}

function renderList() {
  const { fields } = session.view;
  count.textContent = String(fields.length);
  const hadFocus = list.contains(document.activeElement);
  while (list.children.length > fields.length) list.lastChild.remove();
  while (list.children.length < fields.length) list.append(listButton(list.children.length));
  fields.forEach((field, idx) => {
    const button = list.children[idx].firstChild;
    button.firstChild.textContent = field.name;
    button.lastChild.textContent = text(`kind-${field.kind}`);
    if (idx === session.selected) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
    if (session.picking) button.setAttribute("aria-pressed", session.picking.picked.includes(idx));
    else button.removeAttribute("aria-pressed");
  });
  if (hadFocus && !session.picking && document.activeElement !== list.children[session.selected]?.firstChild) focusSelected();
}

/** Gives the selected field the keys. */
export function focusSelected() {
  list.children[session.selected]?.firstChild.focus({ preventScroll: false });
}

/** Whether keys are for the fields. */
export function isOnField(target) {
  return list.contains(target);
}

// ---- the form of a field

const inputs = []; // { input, read(field) -> text or flag, kinds }

/** An input that asks for a change when it is left with another value. `changeOf` gives the change, or null where there is none. */
function bind(input, read, changeOf, kinds = null) {
  input.addEventListener("input", () => { input.isTouched = true; });
  input.addEventListener("change", () => {
    input.isTouched = false;
    change(() => (selectedField() ? changeOf(session.selected, input.type === "checkbox" ? input.checked : input.value.trim()) : null));
  });
  inputs.push({ input, read, kinds });
  return input;
}

let nInputs = 0;

/** An input with its label before it. */
function row(label, input) {
  input.id = `input-${nInputs += 1}`;
  return element("div", { class: "row" }, element("label", { for: input.id }, label), input);
}

const numbersIn = (value) => (value.match(/-?\d+(\.\d+)?/g) ?? []).map(Number);
const decimalOf = (length) => String(Math.round(length * 1000) / 1000);
const spanText = (value) => (value === undefined ? "" : [value].flat().join(" – "));

const nameInput = bind(element("input", { spellcheck: "false", autocomplete: "off" }), (field) => field.name, (field, name) => ({ do: "rename", field, name }));
const kindSelect = bind(element("select"), (field) => field.kind, (field, kind) => ({ do: "kind", field, kind }));
const SIDES_OF_BOX = [text("left"), text("top"), text("width"), text("height")];
const boxInputs = SIDES_OF_BOX.map((_, side) => bind(
  element("input", { inputmode: "decimal", autocomplete: "off" }),
  (field) => decimalOf(field.bounds[side]),
  (field, value) => {
    const { bounds } = selectedField();
    const length = Number(value);
    return value === "" || Number.isNaN(length) ? null : { do: "place", field, bounds: bounds.map((old, i) => (i === side ? length : old)) };
  },
));
const cellsInput = bind(
  element("input", { autocomplete: "off", placeholder: text("cells-none") }),
  (field) => field.keys.comb?.groups.join(" ") ?? (field.is_box ? "" : String(field.cells.length)),
  (field, value) => ({ do: "cells", field, groups: numbersIn(value) }),
);
const splitInput = element("input", { inputmode: "decimal", autocomplete: "off", class: "short" });
const keyRows = element("div", { class: "rows" });
const sideBoxes = element("fieldset", { class: "words" }, element("legend", {}, text("printed")));
const title = element("h2", { id: "field-title" });
const button = (words, onclick) => element("button", { type: "button", onclick }, words);

export function splitSelected() {
  const at = splitInput.value.trim();
  splitInput.value = "";
  return change(() => ({ do: "split", field: session.selected, at: at === "" ? null : Number(at) }));
}
export const deleteSelected = () => change(() => (session.selected === null ? null : { do: "delete", field: session.selected }));
export const orderBy = (step) => change(() => {
  const to = session.selected + step;
  return session.selected === null || to < 0 || to >= session.view.fields.length ? null : { do: "order", field: session.selected, to };
});

const fieldForm = element("form", { onsubmit: (event) => event.preventDefault() },
  row(text("name"), nameInput), row(text("kind"), kindSelect),
  element("div", { class: "box" }, ...boxInputs.map((input, side) => row(SIDES_OF_BOX[side], input))),
  row(text("cells"), cellsInput), keyRows, sideBoxes,
  element("div", { class: "buttons" },
    button(text("earlier"), () => orderBy(-1)), button(text("later"), () => orderBy(1)),
    button(text("merge"), () => pick("merge")), button(text("delete"), deleteSelected)),
  element("div", { class: "buttons" }, row(text("split-at"), splitInput), button(text("split"), splitSelected)));
const noField = element("p", { class: "quiet" }, text("no-field"));
export const fieldPanel = panel("field-title", title, noField, fieldForm);

/** The inputs of the keys, of which each kind of field shows its own. */
export function buildKeys() {
  const kinds = [...new Set(session.keys.flatMap((key) => key.kinds))];
  kindSelect.append(...kinds.map((kind) => element("option", { value: kind }, text(`kind-${kind}`))));
  for (const { key, kinds: own, input, words } of session.keys) {
    const label = text(`key-${key}`);
    const set = (value) => (field) => ({ do: "set", field, key, value });
    const read = (field) => field.keys[key];
    const add = (made, shown, valueOf) => keyRows.append(row(label, bind(made, shown, (field, value) => set(valueOf(value))(field), own)));
    if (input === "flag") add(element("input", { type: "checkbox" }), (field) => read(field) ?? false, (flag) => (flag ? true : null));
    else if (input === "word") {
      const options = ["", ...words].map((word) => element("option", { value: word }, word === "" ? text("default") : text(`word-${word}`)));
      add(element("select", {}, ...options), (field) => read(field) ?? "", (word) => word || null);
    } else if (input === "words") keyRows.append(wordBoxes(label, words, own, (field) => read(field) ?? [], (field, chosen) => set(chosen.length > 0 ? chosen : null)(field)));
    else {
      const made = element("input", { autocomplete: "off", ...(input === "span" || input === "count" ? { inputmode: "decimal" } : {}) });
      if (input === "span") add(made, (field) => spanText(read(field)), (value) => { const n = numbersIn(value.replace(/(\d)\s*[-–]\s*/g, "$1 ")); return n.length === 0 ? null : n.length === 1 && key === "digits" ? n[0] : n; });
      else if (input === "count") add(made, (field) => String(read(field) ?? ""), (value) => (value === "" ? null : Number(value)));
      else if (input === "texts") add(made, (field) => (read(field) ?? []).join(" "), (value) => (value === "" ? null : value.split(/\s+/)));
      else add(made, (field) => read(field) ?? "", (value) => value || null);
    }
  }
  const allSides = (chosen) => chosen.length === session.sides.length;
  sideBoxes.replaceWith(wordBoxes(text("printed"), session.sides, null, (field) => field.keys.printed ?? session.sides, (field, chosen) => ({ do: "set", field, key: "printed", value: allSides(chosen) ? null : chosen })));
}

/** A tick box for each of some words. */
function wordBoxes(label, words, kinds, read, changeOf) {
  const group = element("fieldset", { class: "words" }, element("legend", {}, label));
  const boxes = words.map((word) => bind(
    element("input", { type: "checkbox" }), (field) => read(field).includes(word),
    (field) => changeOf(field, words.filter((_, i) => boxes[i].checked)), kinds,
  ));
  group.append(...words.map((word, i) => element("label", {}, boxes[i], text(`word-${word}`))));
  return group;
}

function renderField() {
  const field = selectedField();
  noField.hidden = field !== null;
  fieldForm.hidden = field === null;
  title.textContent = field ? text("field-of", { name: field.name, n: session.selected + 1, of: session.view.fields.length }) : text("field");
  if (!field) return;
  for (const { input, read, kinds } of inputs) {
    const isShown = kinds === null || kinds.includes(field.kind);
    (input.closest("fieldset") ?? input.closest(".row")).hidden = !isShown;
    if (!isShown || input.isTouched) continue;
    if (input.type === "checkbox") input.checked = read(field);
    else if (input.value !== read(field)) input.value = read(field);
  }
  splitInput.placeholder = field.is_box ? decimalOf(field.bounds[2] / 2) : String(Math.floor(field.cells.length / 2));
}

export function focusName() {
  nameInput.focus();
  nameInput.select();
}

// ---- rules

const ruleList = element("ul", { class: "rules" });
const newRule = element("input", { "aria-label": text("new-rule"), placeholder: text("new-rule-example"), spellcheck: "false", autocomplete: "off" });
const ruleForm = element("form", { onsubmit: addRule }, newRule, element("button", {}, text("add-rule")));
export const rulePanel = panel("rules-title", element("h2", { id: "rules-title" }, text("rules")), ruleList, ruleForm, element("div", { class: "buttons" }, button(text("sum"), () => pick("sum"))));

async function addRule(event) {
  event.preventDefault();
  const rule = newRule.value.trim();
  if (rule !== "" && await change({ do: "add-rule", text: rule })) newRule.value = "";
}

function renderRules() {
  const { rules } = session.view;
  while (ruleList.children.length > rules.length) ruleList.lastChild.remove();
  while (ruleList.children.length < rules.length) {
    const idx = ruleList.children.length;
    const input = element("input", { "aria-label": text("rule", { n: idx + 1 }), spellcheck: "false", autocomplete: "off" });
    input.addEventListener("input", () => { input.isTouched = true; });
    input.addEventListener("change", () => { input.isTouched = false; change({ do: "set-rule", rule: idx, text: input.value.trim() }); });
    const gone = element("button", { type: "button", "aria-label": text("delete-rule", { n: idx + 1 }), onclick: () => change({ do: "delete-rule", rule: idx }) }, "×");
    ruleList.append(element("li", {}, input, gone));
  }
  rules.forEach((rule, idx) => {
    const input = ruleList.children[idx].firstChild;
    if (!input.isTouched && input.value !== rule) input.value = rule;
  });
}

// ---- verdicts

const verdicts = element("ul", { class: "verdicts" });
const verdictCount = element("p", { class: "quiet", role: "status" });
export const verdictPanel = panel("verdicts-title", element("h2", { id: "verdicts-title" }, text("verdicts")), verdictCount, verdicts);
let shownFindings = null;

function renderVerdicts() {
  const { findings, isChecking } = session;
  verdictCount.textContent = isChecking ? text("checking") : findings === null ? text("not-checked") : findings.length === 0 ? text("no-findings") : text("n-findings", { n: findings.length });
  if (findings === shownFindings) return;
  shownFindings = findings;
  verdicts.replaceChildren(...(findings ?? []).map((found) => {
    const head = element("strong", {}, `${text(`severity-${found.severity}`)}: ${found.kind}`);
    const parts = [head, element("span", {}, found.field ? `${found.field}: ${found.detail}` : found.detail)];
    if (found.remedy) parts.push(element("span", { class: "quiet" }, found.remedy));
    if (found.line) parts.push(button(text("show-line", { n: found.line }), () => showFinding(found)));
    return element("li", { class: found.severity }, ...parts);
  }));
}

function showFinding({ field, line }) {
  const idx = session.view.fields.findIndex(({ name }) => name === field);
  if (idx >= 0) select(idx);
  showLine(line);
}

// ---- the text

const area = element("textarea", { id: "toml", spellcheck: "false", autocomplete: "off", wrap: "off", rows: "14" });
const fault = element("p", { class: "fault", role: "alert" });
export const textPanel = panel("text-title", element("h2", { id: "text-title" }, element("label", { for: "toml" }, text("text"))), fault, area);
let pause = null;

area.addEventListener("input", () => {
  type(area.value);
  clearTimeout(pause);
  pause = setTimeout(readText, TYPING_PAUSE_MS);
});
area.addEventListener("blur", readText);

function lineHeight() {
  return Number.parseFloat(getComputedStyle(area).lineHeight);
}

/** Marks a line of the text and scrolls to it. */
function showLine(line) {
  const lines = area.value.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, before) => sum + before.length + 1, 0);
  area.focus();
  area.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
  area.scrollTop = Math.max(0, (line - 4) * lineHeight());
}

let shownSelection = null;

function renderText() {
  const isTyping = document.activeElement === area;
  if (area.value !== session.text && !isTyped()) {
    const { selectionStart, scrollTop } = area;
    area.value = session.text;
    if (isTyping) area.setSelectionRange(selectionStart, selectionStart);
    area.scrollTop = scrollTop;
  }
  const { fault: found } = session;
  const words = found ? (found.hint ? text("fault-hint", found) : text("fault", found)) : "";
  if (fault.dataset.words !== words) {
    fault.dataset.words = words;
    fault.replaceChildren(words, ...(found?.line ? [" ", button(text("show-line", { n: found.line }), () => showLine(found.line))] : []));
  }
  fault.hidden = words === "";
  area.setAttribute("aria-invalid", words !== "");
  const field = selectedField();
  const selection = field ? `${field.name} ${field.line}` : "";
  if (selection !== shownSelection && !isTyping && field) {
    shownSelection = selection;
    area.scrollTop = Math.max(0, (field.line - 2) * lineHeight());
  }
}

function render() {
  if (!session.view) return;
  renderList();
  renderField();
  renderRules();
  renderVerdicts();
  renderText();
}

onChange(render);
