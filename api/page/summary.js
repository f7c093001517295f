// All that matches, not only what is shown: over time, and by its commonest values. A click narrows the question.

import { el, put, svg } from "./dom.js";
import { count, day, time, visible } from "./format.js";

const HEIGHT = 60;
const WIDTH = 600;

// What a click on a value means as a filter, for each facet, and what it is called.
const FACETS = [
  ["services", "Service", (value) => [{ service: value }, `service ${value}`]],
  ["dst_ports", "Destination port", (value) => [{ port: { end: "dst", from: Number(value), to: Number(value) } }, `destination port ${value}`]],
  ["src_ips", "Source", (value) => [{ ip: { end: "src", net: network(value) } }, `source ${value}`]],
  ["dst_ips", "Destination", (value) => [{ ip: { end: "dst", net: network(value) } }, `destination ${value}`]],
  ["verdicts", "Verdict", (value) => [{ verdict: value }, `verdict ${value}`]],
];

// Values of a facet that are shown.
const VALUES = 5;

const network = (ip) => `${ip}/${ip.includes(":") ? 128 : 32}`;

export function timeline(place, bins, narrow) {
  if (bins.length === 0) return put(place);
  const most = Math.max(...bins.map((bin) => bin.events));
  const step = WIDTH / bins.length;
  const marks = bins.flatMap((bin, i) => {
    const what = `${count(bin.events)} from ${time(bin.from_us)} to ${time(bin.to_us)}`;
    const choose = () => narrow({ time: { from_us: bin.from_us, to_us: bin.to_us } }, `${time(bin.from_us)} to ${time(bin.to_us)}`);
    const height = bin.events === 0 ? 0 : Math.max(2, (HEIGHT * bin.events) / most);
    const slot = svg("rect", {
      class: "slot", x: i * step, y: 0, width: step, height: HEIGHT,
      role: "button", "aria-label": `Only ${what}`, tabindex: bin.events > 0 ? 0 : null,
      click: () => bin.events > 0 && choose(),
      keydown: (press) => (press.key === "Enter" || press.key === " ") && (press.preventDefault(), choose()),
    }, svg("title", {}, what));
    return [slot, svg("rect", { class: "bar", x: i * step + step * 0.08, y: HEIGHT - height, width: step * 0.84, height, rx: 1 })];
  });
  const [first, last] = [bins[0].from_us, bins[bins.length - 1].to_us];
  const label = day(first) === day(last) ? time(last).slice(11) : time(last);
  put(place,
    svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "group", "aria-label": "Matching events over time" }, marks),
    el("div", { class: "ends" }, el("span", {}, time(first)), el("span", {}, `most ${count(most)}`), el("span", {}, label)));
}

export function facets(place, found, matching, narrow) {
  put(place, ...FACETS.map(([key, title, condition]) => {
    const values = (found[key] ?? []).slice(0, VALUES);
    if (values.length === 0) return null;
    return el("section", {}, el("h3", {}, title), el("ul", {}, values.map(({ value, events }) => {
      const [filter, label] = condition(value);
      const share = el("span", { class: "share" });
      share.style.width = `${(100 * events) / Math.max(1, matching)}%`;
      return el("li", {}, el("button", { type: "button", title: `Only ${visible(label)}`, click: () => narrow(filter, label) },
        share, el("span", { class: "value" }, visible(value)), el("span", { class: "count" }, count(events))));
    })));
  }));
}
