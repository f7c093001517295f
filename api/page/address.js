// What is asked, as it stands in the address: the words in `q`, the rest as JSON in `with`. Anybody may have written or cut
// the address, so whatever has not the form it should have is left out, and the rest still makes a question.

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const isAdded = (value) => isObject(value) && isObject(value.filter) && typeof value.label === "string";
const list = (value, fits) => (Array.isArray(value) ? value.filter(fits) : []);

// The question that `search`, the part of an address from its `?`, asks.
export function read(search) {
  const said = new URLSearchParams(search);
  let rest = null;
  try {
    rest = JSON.parse(said.get("with") ?? "null");
  } catch {
    // Cut short; the words alone still make a question.
  }
  return {
    query: said.get("q") ?? "",
    drop: list(rest?.drop, (text) => typeof text === "string"),
    added: list(rest?.added, isAdded).map(({ filter, label }) => ({ filter, label })),
  };
}

// The other way round; empty for the empty question.
export function write({ query, drop, added }) {
  const said = new URLSearchParams();
  if (query) said.set("q", query);
  if (drop.length + added.length > 0) said.set("with", JSON.stringify({ drop, added }));
  return said.size > 0 ? `?${said}` : "";
}
