// The page: a question in, an answer out. The state is small and stands in the address, so that Back, reload and a link work.

import { read, write } from "./address.js";
import { el, put } from "./dom.js";
import { count, day, visible } from "./format.js";
import { hit } from "./hits.js";
import { facets, timeline } from "./summary.js";

const EXAMPLES = [
  "who was guessing ssh passwords",
  "uploads over 1 MB to the outside",
  "a machine that calls home every few seconds",
  "web requests that are slow and never finish",
  "DNS names that look random and do not exist",
  "port scan, but not on port 22",
];

const part = (id) => document.getElementById(id);
const [box, hits, more] = [part("question"), part("hits"), part("more")];

// What is asked: the words, conditions dropped from them, conditions added by clicks.
let asked = { query: "", drop: [], added: [] };
// The answer on the screen may be older than the last request; only the last one may paint.
let turn = 0;
let cursor = null;
let shown = 0;
// Events in the index when last asked; not known at first.
let held = null;

part("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  ask({ query: box.value.trim(), drop: [], added: asked.added });
});
more.addEventListener("click", next);
window.addEventListener("popstate", () => restore());
document.addEventListener("keydown", (press) => {
  const typing = ["INPUT", "TEXTAREA"].includes(document.activeElement?.tagName);
  if (press.key !== "/" || typing || press.ctrlKey || press.metaKey || press.altKey) return;
  press.preventDefault();
  box.focus();
  box.select();
});

holding();
restore();

// Takes up what the address says.
function restore() {
  ask(read(location.search), false);
}

// Asks and remembers it in the address.
function ask(question, remember = true) {
  asked = question;
  box.value = asked.query;
  if (remember) history.pushState(null, "", write(asked) || location.pathname);
  document.title = asked.query ? `${asked.query} · Forebay` : "Forebay";
  return load(null);
}

async function next() {
  const before = hits.childElementCount;
  await load(cursor);
  hits.children[before]?.querySelector("summary")?.focus({ preventScroll: true });
}

async function load(from) {
  const mine = ++turn;
  document.body.classList.add("busy");
  part("status").textContent = "Searching…";
  const answer = await fetchAnswer(from);
  // Nothing matches: because nothing is there?
  if (answer.matching === 0) await holding();
  if (mine !== turn) return;
  document.body.classList.remove("busy");
  part("problem").hidden = answer.problem === undefined;
  if (answer.problem !== undefined) return fail(answer.problem);
  if (from === null) begin(answer);
  hits.append(...answer.hits.map(hit));
  shown = hits.childElementCount;
  cursor = answer.cursor;
  more.hidden = cursor === null;
  say(answer);
}

// The answer, or what went wrong as problem details.
async function fetchAnswer(from) {
  const filters = asked.added.map(({ filter }) => filter);
  const request = {
    query: asked.query, drop: asked.drop, cursor: from,
    filter: filters.length > 0 ? { and: filters } : null,
    time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  };
  try {
    const response = await fetch("/v1/search", {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(request),
    });
    const body = await response.json();
    return response.ok ? body : { problem: body };
  } catch {
    return { problem: { title: "The server does not answer", detail: "Is it still running? Ask again in a moment." } };
  }
}

function begin(answer) {
  put(hits);
  chips(answer);
  put(part("notes"), ...answer.notes.map(({ text, reason }) => el("li", {}, text ? `“${visible(text)}”: ${reason}` : reason)));
  const any = answer.matching > 0;
  part("summary").hidden = !any;
  timeline(part("timeline"), answer.timeline, narrow);
  facets(part("facets"), answer.facets, answer.matching, narrow);
  examples(asked.query === "" && asked.added.length === 0);
  part("empty").hidden = answer.hits.length > 0;
  part("empty").textContent = !any && held === 0
    ? "There are no events yet.\nPOST lines of JSON to /v1/events; or stop the server and load captures or flow logs with\n“forebay embed FILE... --out DIR --index DATA/index”, where DATA is its data.dir."
    : any ? "Events pass the conditions, but none is like the words of the question.\nTry other words, or fewer."
      : "No event passes all the conditions.\nTake one away above, or ask for more.";
}

function say({ matching, words, took_us: took }) {
  const order = words === "" ? "newest first" : `ranked by “${visible(words)}”`;
  const time = took < 1e6 ? `${Math.max(1, Math.round(took / 1000))} ms` : `${(took / 1e6).toFixed(1)} s`;
  part("status").textContent = shown === 0 ? "" : `${count(shown)} of ${count(matching)} that match, ${order}, in ${time}`;
}

// What was understood can be taken away and put back; what was added by a click can be taken away.
function chips(answer) {
  const understood = answer.understood.map(({ text, label, dropped }) => {
    const others = asked.drop.filter((item) => item !== text);
    const change = () => ask({ ...asked, drop: dropped ? others : [...others, text] });
    return chip(label, change, dropped);
  });
  const added = asked.added.map(({ label }, place) =>
    chip(label, () => ask({ ...asked, added: asked.added.filter((_, i) => i !== place) }), false));
  put(part("chips"), ...understood, ...added);
}

function chip(label, change, dropped) {
  const act = dropped ? "Put back" : "Remove";
  return el("li", { class: `chip ${dropped ? "off" : ""}` },
    el("span", { title: label }, visible(label)),
    el("button", { type: "button", "aria-label": `${act} ${visible(label)}`, title: act, click: change }, dropped ? "↺" : "×"));
}

function narrow(filter, label) {
  const key = JSON.stringify(filter);
  const others = asked.added.filter((added) => JSON.stringify(added.filter) !== key);
  ask({ ...asked, added: [...others, { filter, label }] });
}

function examples(show) {
  put(part("examples"), ...(show ? [
    el("h2", {}, "For example"),
    el("ul", {}, EXAMPLES.map((text) => el("li", {}, el("button", { type: "button", click: () => ask({ query: text, drop: [], added: [] }) }, text)))),
  ] : []));
}

function fail({ title, detail, instance }) {
  part("status").textContent = "";
  more.hidden = true;
  put(part("problem"), el("strong", {}, title), el("span", {}, detail),
    instance ? el("div", {}, el("small", {}, `Request ${instance.replace("urn:uuid:", "")}`)) : null);
}

// What the server holds, in the corner.
async function holding() {
  try {
    const response = await fetch("/v1/stats");
    if (!response.ok) return;
    const stats = await response.json();
    held = stats.events;
    const [first, last] = [stats.first_us, stats.last_us].map((us) => (us === null ? "" : day(us)));
    const span = first === last ? (first && `, ${first}`) : `, ${first} to ${last}`;
    const damaged = stats.damaged.length > 0 ? ` · ${count(stats.damaged.length)} damaged segments set aside` : "";
    part("holding").textContent = `${count(stats.events)} events${span}${damaged}`;
  } catch {
    // The search says what is wrong with the server; the corner stays empty.
  }
}
