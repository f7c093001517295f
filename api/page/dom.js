// Making elements. Text goes in as text, never as markup: host names and everything else in an event were chosen by
// whoever sent the packets.

const SVG = "http://www.w3.org/2000/svg";

// An element with attributes and children; strings become text. Attributes that are functions become listeners.
export function el(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

// The same in the SVG namespace.
export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

// Replaces what is in `parent`.
export function put(parent, ...children) {
  parent.replaceChildren(...children.filter((child) => child !== null));
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat()) {
    if (child !== null && child !== undefined) element.append(child);
  }
  return element;
}
