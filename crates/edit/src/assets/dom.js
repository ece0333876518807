// Small helpers: texts, elements, requests.

const texts = await (await fetch("/texts.json")).json();

/** A text of the page, with what is in braces filled in. */
export function text(name, values = {}) {
  const found = texts[name] ?? name;
  return found.replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
}

/** The names of all texts that begin so. */
export function namesOfTexts(start) {
  return Object.keys(texts).filter((name) => name.startsWith(start));
}

function filled(made, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== null) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

/** An element with attributes and children. */
export function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** The same in a drawing. */
export function shape(name, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

/** Posts JSON. Throws what the server answered with its `status` where it refuses, and a TypeError where nobody answers. */
export async function post(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    credentials: "same-origin",
  });
  if (response.ok) return response.status === 204 ? null : response.json();
  const refused = await response.json().catch(() => ({}));
  throw { detail: "", hint: "", line: null, ...refused, status: response.status };
}
