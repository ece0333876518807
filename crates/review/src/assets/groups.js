// A group of like digits: crops that the machine reads alike, on one screen. The odd ones are struck. Some are known to be of another digit;
// this page does not know which.

const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/** Shows a group in place of what is on `screen`. Calls `send` with the crops that were struck, or `undo`, once; then its keys are dead. */
export function showGroup({ text, element, screen, group, send, undo }) {
  const struck = new Set();
  let isPainted = false;
  const images = Array.from({ length: group.crops }, (_, i) => Object.assign(new Image(), { alt: "", src: `/digit/${group.group}/${i}` }));
  const cells = images.map((image, i) => element("button", {
    type: "button", "aria-pressed": "false", tabindex: i === 0 ? "0" : "-1",
    "aria-label": text("group-crop", { key: LETTERS[i].toUpperCase(), digit: group.digit }), onclick: () => strike(i), onfocus: () => reach(i),
  }, image, element("kbd", { "aria-hidden": "true" }, LETTERS[i].toUpperCase())));
  const grid = element("div", { class: "digits", role: "group", "aria-labelledby": "group-title", "aria-describedby": "group-hint" }, ...cells);
  const button = (name, key, act, isMain = false) =>
    element("button", { type: "button", class: isMain ? "main" : null, onclick: act }, text(name), element("kbd", {}, key));
  const root = element("section", { class: "card", "aria-labelledby": "group-title" },
    element("div", { class: "what" }, element("h2", { id: "group-title" }, text("group-title", { digit: group.digit }))), grid,
    element("div", { class: "below" }, element("p", { class: "hint", id: "group-hint" }, text("group-hint"))),
    element("div", { class: "keys" }, button("group-send", text("next-key"), () => end(() => send([...struck].sort((a, b) => a - b))), true), button("undo", "−", () => end(undo))));

  /** The crop that the arrows start from is the one that Tab comes back to. */
  function reach(i) {
    cells.forEach((cell, other) => cell.setAttribute("tabindex", other === i ? "0" : "-1"));
  }

  function strike(i) {
    if (!isPainted) return;
    if (!struck.delete(i)) struck.add(i);
    cells[i].setAttribute("aria-pressed", String(struck.has(i)));
  }

  function move(by) {
    const from = Math.max(0, cells.findIndex((cell) => cell.getAttribute("tabindex") === "0"));
    cells[from + by]?.focus();
  }

  /** How many crops there are in a row, as they are laid out now. */
  function columns() {
    return cells.filter((cell) => cell.offsetTop === cells[0].offsetTop).length;
  }

  function actionOf(key) {
    const letter = LETTERS.slice(0, cells.length).indexOf(key.toLowerCase());
    if (key.length === 1 && letter >= 0) return () => strike(letter);
    switch (key) {
      case "ArrowLeft": case "4": return () => move(-1);
      case "ArrowRight": case "6": return () => move(1);
      case "ArrowUp": case "8": return () => move(-columns());
      case "ArrowDown": case "2": return () => move(columns());
      case "5": return () => cells.find((cell) => cell.getAttribute("tabindex") === "0")?.click();
      case "Enter": return () => end(() => send([...struck].sort((a, b) => a - b)));
      case "-": return () => end(undo);
      default: return null;
    }
  }

  function keyed(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (screen.firstChild !== root) return document.removeEventListener("keydown", keyed);
    // Enter is for the group where a crop has the focus, and for the button where one of those below has it
    const isButton = event.target.tagName === "BUTTON" && !cells.includes(event.target);
    const action = actionOf(event.key);
    if (!action || (isButton && event.key === "Enter")) return;
    event.preventDefault();
    action();
  }

  /** Nothing counts that was pressed before the crops were on the screen. */
  function end(act) {
    if (!isPainted) return;
    isPainted = false;
    document.removeEventListener("keydown", keyed);
    act();
  }

  document.addEventListener("keydown", keyed);
  screen.replaceChildren(root);
  cells[0].focus();
  Promise.allSettled(images.map((image) => image.decode())).then((shown) => requestAnimationFrame(() => requestAnimationFrame(() => {
    isPainted = true;
    // nobody has seen a crop without a picture: it is struck, and its field is keyed
    shown.forEach(({ status }, i) => status === "rejected" && strike(i));
    performance.mark("painted-group", { detail: group.group });
  })));
  return root;
}
