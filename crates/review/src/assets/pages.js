// The list of pages that have more than fields to key: those that were rejected, and those with writing beside the fields. Each is
// looked at and given a decision, which can be taken back. For a rejected page a form can be chosen: then its fields are keyed.

const DECISIONS = ["scan-again", "no-form", "give-back"];
const OUTSIDE = "writing-outside";
const MAX_FORMS_SHOWN = 8;

/** Shows the list in place of what is on `screen`, until `leave` is called. */
export async function showPages({ text, element, post, say, screen, leave }) {
  let list = await post("/api/pages", {});
  let current = 0; // index in the list
  const title = element("h2", { id: "page" });
  const reason = element("span", { class: "form" });
  const picture = element("div", { class: "crop is-context is-page", role: "group", "aria-labelledby": "page", tabindex: "0" });
  const decided = element("p", { class: "hint", role: "status" });
  const keys = element("div", { class: "keys" });
  const rows = element("ol", { class: "pages" });
  const heading = element("h3", {});
  const dialog = element("dialog", { "aria-labelledby": "form-title" });
  const root = element("div", { class: "work" },
    element("section", { class: "card", "aria-labelledby": "page" },
      element("div", { class: "what" }, title, reason), picture, element("div", { class: "below" }, decided), keys),
    element("aside", { class: "ahead", "aria-label": text("pages-list") }, heading, rows), dialog);

  const words = (name) => text(`reason-${name}`);
  const button = (name, key, act, isMain = false) =>
    element("button", { type: "button", class: isMain ? "main" : null, onclick: act }, text(name), element("kbd", {}, key));

  /** What can be decided of the page: words, and "form" where one can be chosen. */
  function choices() {
    const { reason, can_be_keyed } = list.pages[current];
    return [...DECISIONS, ...(reason === OUTSIDE ? ["nothing-to-book"] : []), ...(can_be_keyed ? ["form"] : [])];
  }

  function decisionWords(decision) {
    if (typeof decision === "string") return text(`decision-${decision}`);
    return text("decision-form-chosen", { form: list.forms.find(({ name }) => name === decision.form)?.title ?? decision.form });
  }

  function show() {
    const page = list.pages[current];
    title.textContent = text("page-title", { scan: page.scan, page: page.page });
    reason.textContent = words(page.reason);
    decided.textContent = page.decision ? text("page-decided", { decision: decisionWords(page.decision), who: page.who }) : "";
    if (picture.dataset.page !== String(page.idx)) {
      picture.dataset.page = page.idx;
      const image = Object.assign(new Image(), { alt: text("page-picture", { scan: page.scan, page: page.page }), src: `/seen/${page.idx}` });
      const missing = () => { if (picture.dataset.page === String(page.idx)) picture.replaceChildren(element("p", {}, text("page-no-picture"))); };
      image.addEventListener("error", missing);
      picture.replaceChildren(image);
    }
    keys.replaceChildren(
      ...choices().map((decision, i) => button(`decision-${decision}`, String(i + 1), () => decide(decision))),
      button("undo", "−", takeBack), button("page-next", text("next-key"), () => move(1)), button("page-leave", "/", end));
    heading.textContent = text("pages-open", { open: list.open, all: list.all });
    rows.replaceChildren(...list.pages.map((other, i) => element("li", {}, element("button", {
      type: "button", "aria-current": i === current ? "true" : null, onclick: () => { current = i; show(); },
    }, element("span", {}, text("page-title", { scan: other.scan, page: other.page })),
    element("small", {}, other.decision ? decisionWords(other.decision) : words(other.reason))))));
    rows.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  }

  function move(by) {
    current = (current + by + list.pages.length) % list.pages.length;
    say("");
    show();
    picture.focus();
  }

  /** Takes the list of now, and stays on the page that is shown. */
  function take(fresh) {
    const { idx } = list.pages[current];
    list = fresh;
    current = Math.max(0, list.pages.findIndex((page) => page.idx === idx));
  }

  async function change(path, body, done) {
    try {
      const fresh = await post(path, body);
      take(fresh);
      done();
    } catch ({ fault, detail, status }) {
      if (status === undefined) say(text("offline", { n: 0 }), true);
      else if (status === 401) say(text("session-ended", { n: 0 }), true);
      else say(["already-decided", "nothing-to-undo"].includes(fault) ? text(fault) : text("fault-other", { detail: detail || fault }), true);
    }
    picture.focus();
  }

  function decide(decision) {
    if (decision === "form") return list.forms.length === 1 ? decide({ form: list.forms[0].name }) : chooseForm();
    const { idx } = list.pages[current];
    const id = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
    return change("/api/page", { id, page: idx, decision }, () => {
      // its fields come next
      if (decision.form) return end();
      const next = list.pages.findIndex((page) => !page.decision);
      if (next >= 0) current = next;
      show();
      say(next >= 0 ? text("page-stored", { decision: decisionWords(decision) }) : text("pages-done"));
    });
  }

  /** Asks which form the page is. */
  function chooseForm() {
    const { form } = list.pages[current];
    const option = ({ name, title }) => element("option", { value: name, ...(name === form ? { selected: "" } : {}) }, title);
    const size = Math.min(MAX_FORMS_SHOWN, list.forms.length);
    const select = element("select", { id: "form", size }, ...list.forms.map(option));
    if (select.selectedIndex < 0) select.selectedIndex = 0;
    const choose = () => { dialog.close(); decide({ form: select.value }); };
    select.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); event.stopPropagation(); choose(); } });
    dialog.replaceChildren(element("h2", { id: "form-title" }, text("form-title")), element("label", { for: "form" }, text("form-label")), select,
      element("div", { class: "keys" },
        element("button", { type: "button", class: "main", onclick: choose }, text("form-choose"), element("kbd", {}, text("next-key"))),
        element("button", { type: "button", onclick: () => dialog.close() }, text("form-cancel"))));
    dialog.showModal();
    select.focus();
  }

  function takeBack() {
    return change("/api/page/take-back", { page: list.pages[current].idx }, () => { show(); say(text("page-taken-back")); });
  }

  function keyed(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || dialog.open) return;
    const isButton = event.target.tagName === "BUTTON" && (event.key === "Enter" || event.key === " ");
    const choice = choices()[Number(event.key) - 1];
    const act = choice && /^[1-9]$/.test(event.key) ? () => decide(choice)
      : { "-": takeBack, "/": end, Enter: () => move(1), n: () => move(1), p: () => move(-1) }[event.key];
    if (!act || isButton) return;
    event.preventDefault();
    act();
  }

  function end() {
    document.removeEventListener("keydown", keyed);
    leave();
  }

  if (list.pages.length === 0) return leave();
  document.addEventListener("keydown", keyed);
  screen.replaceChildren(root);
  show();
  picture.focus();
}
