// The blank with the fields on it, for the mouse. Keys work on the list of fields; this picture follows.

import { element, shape, text } from "/dom.js";
import { cancelPick, change, finishPick, onChange, pickedRule, place, select, selectedField, session, togglePicked } from "/session.js";

const MIN_DRAWN_PX = 6; // a smaller box is a click
const LABEL_PX = 11;
const LETTER_PX = 7;
const MIN_LABELLED_PX = 14; // what is written in lower fields would cover what is printed beside them
const HANDLES = { nw: [0, 0], n: [0.5, 0], ne: [1, 0], e: [1, 0.5], se: [1, 1], s: [0.5, 1], sw: [0, 1], w: [0, 0.5] };
const HANDLE_PX = 9;
const ZOOMS = [1, 1.5, 2, 3, 4, 6, 8];

const print = shape("g", { class: "print" });
const fields = shape("g", { class: "fields" });
const handles = shape("g", { class: "handles" });
const band = shape("rect", { class: "band", width: 0, height: 0 });
const svg = shape("svg", { preserveAspectRatio: "none", "aria-hidden": "true", onpointerdown: down, onpointermove: move, onpointerup: up, onpointercancel: cancel }, print, fields, handles, band);
const blank = element("img", { alt: text("blank"), draggable: "false" });
const sheet = element("div", { class: "sheet" }, blank, svg);
const paper = element("div", { class: "paper", tabindex: "0", role: "group", "aria-label": text("form") }, sheet);
const banner = element("p", { class: "banner", hidden: "" });

export const drawing = element("section", { class: "form" }, banner, paper);

let zoom = 1;
let drag = null; // { from, at, move | box, handle }
let focusField = () => {};

/** How a field that is clicked gets the keys. */
export function setFocus(focus) {
  focusField = focus;
}

// ---- drawing

/** Template units for one pixel of the screen, across and down. */
function unitsPerPx() {
  const box = svg.getBoundingClientRect();
  return [session.view.page[0] / (box.width || 1), session.view.page[1] / (box.height || 1)];
}

/** The point of an event, in template units. */
function pointOf(event) {
  const box = svg.getBoundingClientRect();
  const [x, y] = unitsPerPx();
  return [(event.clientX - box.left) * x, (event.clientY - box.top) * y];
}

const rectOf = ([x, y, width, height]) => ({ x, y, width, height });

let drawnPrint = null;

function render() {
  const { view } = session;
  if (!view) return;
  // it needs a session
  if (!blank.hasAttribute("src")) blank.src = "/blank.png";
  svg.setAttribute("viewBox", `0 0 ${view.page[0]} ${view.page[1]}`);
  sheet.style.width = `${100 * zoom}%`;
  sheet.style.aspectRatio = `${view.page[0]} / ${view.page[1]}`;
  svg.classList.toggle("is-stale", session.fault !== null);
  const drawn = JSON.stringify([view.lines, view.print]);
  if (drawn !== drawnPrint) {
    drawnPrint = drawn;
    print.replaceChildren(
      ...view.lines.map(([x1, y1, x2, y2]) => shape("line", { x1, y1, x2, y2 })),
      ...view.print.map((box) => shape("rect", rectOf(box))),
    );
  }
  const perPx = unitsPerPx();
  svg.style.fontSize = `${LABEL_PX * perPx[1]}px`;
  const faulty = new Set((session.findings ?? []).filter((found) => found.severity === "fault").map((found) => found.field));
  while (fields.children.length > view.fields.length) fields.lastChild.remove();
  view.fields.forEach((field, idx) => renderField(field, idx, faulty.has(field.name), perPx));
  renderHandles(perPx);
  renderBanner();
}

function renderField(field, idx, isFaulty, [perX, perY]) {
  let group = fields.children[idx];
  if (!group) {
    group = shape("g");
    fields.append(group);
  }
  // within the field, where nothing is printed
  const whole = `${idx + 1} ${field.name}`;
  const label = whole.length * LETTER_PX * perX < field.bounds[2] ? whole : String(idx + 1);
  const isLow = field.bounds[3] < MIN_LABELLED_PX * perY;
  const drawn = JSON.stringify([label, field.cells]);
  if (group.drawn !== drawn) {
    group.drawn = drawn;
    const [x, y] = field.bounds;
    const name = shape("text", { x, y, dx: "0.25em", dy: "1.05em" }, label);
    group.replaceChildren(shape("rect", { class: "whole", ...rectOf(field.bounds) }), ...field.cells.map((cell) => shape("rect", { class: "cell", ...rectOf(cell) })), name);
  }
  const { picking } = session;
  group.setAttribute("class", [
    idx === session.selected ? "is-selected" : "", isFaulty ? "has-fault" : "", isLow ? "is-low" : "",
    picking?.picked.includes(idx) ? "is-picked" : "",
  ].join(" "));
  moveGroup(group, field, idx);
}

/** The bounds of a field with the moves that the text does not have yet. */
function movedBounds(field, idx) {
  const moves = session.moves.filter((move) => move.field === idx);
  return field.bounds.map((length, i) => moves.reduce((sum, move) => sum + move.by[i], length));
}

function moveGroup(group, field, idx) {
  const [x, y, width, height] = field.bounds;
  const [nx, ny, nw, nh] = movedBounds(field, idx);
  if (nx === x && ny === y && nw === width && nh === height) group.removeAttribute("transform");
  else group.setAttribute("transform", `translate(${nx} ${ny}) scale(${nw / width} ${nh / height}) translate(${-x} ${-y})`);
}

function renderHandles([perX, perY]) {
  const field = selectedField();
  if (!field || session.picking) return handles.replaceChildren();
  const [x, y, width, height] = movedBounds(field, session.selected);
  const [w, h] = [HANDLE_PX * perX, HANDLE_PX * perY];
  if (handles.children.length === 0) handles.append(...Object.keys(HANDLES).map((name) => shape("rect", { class: `handle ${name}`, "data-handle": name })));
  [...handles.children].forEach((handle) => {
    const [u, v] = HANDLES[handle.dataset.handle];
    for (const [key, value] of Object.entries({ x: x + u * width - w / 2, y: y + v * height - h / 2, width: w, height: h })) handle.setAttribute(key, value);
  });
}

function renderBanner() {
  const { picking, misfit } = session;
  banner.hidden = !picking && !misfit;
  if (picking) {
    const name = session.view.fields[picking.field].name;
    const isSum = picking.of === "sum";
    const words = isSum ? text("pick-sum", { rule: pickedRule() }) : text("pick-merge", { name });
    const buttons = [element("button", { type: "button", onclick: cancelPick }, text("cancel"))];
    if (isSum) buttons.unshift(element("button", { type: "button", class: "main", onclick: finishPick }, text("add-sum")));
    banner.replaceChildren(words, " ", ...buttons);
  } else if (misfit) {
    banner.replaceChildren(text("misfit", { detail: misfit }));
  }
}

/** Scrolls the selected field into view, where it is not. */
export function showSelected() {
  const field = selectedField();
  if (!field) return;
  const [perX, perY] = unitsPerPx();
  const [left, top] = [field.bounds[0] / perX, field.bounds[1] / perY];
  const [right, bottom] = [left + field.bounds[2] / perX, top + field.bounds[3] / perY];
  if (left < paper.scrollLeft || right > paper.scrollLeft + paper.clientWidth) paper.scrollLeft = (left + right - paper.clientWidth) / 2;
  if (top < paper.scrollTop || bottom > paper.scrollTop + paper.clientHeight) paper.scrollTop = (top + bottom - paper.clientHeight) / 2;
}

/** Shows the form larger (1), smaller (-1), or as wide as there is room (0). */
export function zoomBy(step) {
  zoom = step === 0 ? 1 : ZOOMS[Math.min(Math.max(ZOOMS.indexOf(zoom) + step, 0), ZOOMS.length - 1)];
  render();
  showSelected();
}

/** Shows or hides what the template has of the print. Returns whether it is shown. */
export function togglePrint() {
  return !svg.classList.toggle("is-without-print");
}

/** A new field of usual size below the selected one, or in the middle of what is seen. */
export function newBounds() {
  const [perX, perY] = unitsPerPx();
  const [pageWidth, pageHeight] = session.view.page;
  const own = selectedField()?.bounds;
  const [width, height] = own ? [own[2], own[3]] : [100 * perX, 24 * perY];
  const [x, y] = own ? [own[0], own[1] + 1.25 * height] : [(paper.scrollLeft + paper.clientWidth / 2) * perX, (paper.scrollTop + paper.clientHeight / 2) * perY];
  return [Math.min(x, pageWidth - width), Math.min(y, pageHeight - height), width, height];
}

// ---- the mouse

function down(event) {
  if (event.button !== 0 || !session.view) return;
  const handle = event.target.dataset.handle;
  const group = event.target.closest(".fields > g");
  const idx = group ? [...fields.children].indexOf(group) : null;
  event.preventDefault();
  if (session.picking) {
    if (idx !== null) togglePicked(idx);
    return;
  }
  const from = pointOf(event);
  if (handle || idx !== null) {
    if (!handle) select(idx);
    focusField();
    const move = { field: session.selected, by: [0, 0, 0, 0] };
    session.moves.push(move);
    drag = { from, move, handle };
  } else {
    drag = { from, box: [...from, 0, 0] };
  }
  svg.setPointerCapture(event.pointerId);
}

function move(event) {
  if (!drag) return;
  const [x, y] = pointOf(event);
  const [dx, dy] = [x - drag.from[0], y - drag.from[1]];
  if (drag.box) {
    drag.box = [Math.min(x, drag.from[0]), Math.min(y, drag.from[1]), Math.abs(dx), Math.abs(dy)];
    for (const [key, value] of Object.entries(rectOf(drag.box))) band.setAttribute(key, value);
    return;
  }
  drag.move.by = drag.handle ? stretched(drag.handle, dx, dy, drag.move.field) : [dx, dy, 0, 0];
  const idx = drag.move.field;
  moveGroup(fields.children[idx], session.view.fields[idx], idx);
  renderHandles(unitsPerPx());
}

/** What a handle does to left, top, width and height. A field keeps a size of some pixels. */
function stretched(handle, dx, dy, idx) {
  const [, , width, height] = session.view.fields[idx].bounds;
  const [minWidth, minHeight] = unitsPerPx().map((units) => MIN_DRAWN_PX * units);
  const along = (isFirst, isLast, d, size, min) => {
    if (isFirst) return [Math.min(d, size - min), -Math.min(d, size - min)];
    return isLast ? [0, Math.max(d, min - size)] : [0, 0];
  };
  const [left, w] = along(handle.includes("w"), handle.includes("e"), dx, width, minWidth);
  const [top, h] = along(handle.includes("n"), handle.includes("s"), dy, height, minHeight);
  return [left, top, w, h];
}

function up() {
  if (!drag) return;
  const { move: moved, box } = drag;
  drag = null;
  if (moved) {
    place(moved);
    return;
  }
  band.setAttribute("width", 0);
  const [perX, perY] = unitsPerPx();
  if (box[2] < MIN_DRAWN_PX * perX || box[3] < MIN_DRAWN_PX * perY) return;
  change({ do: "add", bounds: box, after: session.selected ?? session.view.fields.length }).then(focusField);
}

function cancel() {
  if (!drag) return;
  session.moves = session.moves.filter((other) => other !== drag.move);
  drag = null;
  band.setAttribute("width", 0);
  render();
}

document.addEventListener("keydown", (event) => { if (event.key === "Escape") cancel(); });
new ResizeObserver(render).observe(paper);
onChange(render);
