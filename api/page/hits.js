// A hit as a card: who with whom, what, how much, why; and everything else on demand.

import { el, svg } from "./dom.js";
import { address, bytes, count, duration, iso, number, protocol, time, visible } from "./format.js";

// Which features stand together, by how their names begin or what they are about.
const GROUPS = [
  ["Volume", (name) => /^(s|d)(pkts|bytes|mean)$|_ratio$|^subflow_|^down_up/.test(name)],
  ["Rates", (name) => /load$|rate$|_per_sec$/.test(name) && !name.includes("bulk")],
  ["Time", (name) => name === "duration" || /^(active|idle)_/.test(name)],
  ["Gaps between packets", (name) => name.includes("_iat_")],
  ["Packet lengths", (name) => /_len_|packet_size|segment_size/.test(name) && !name.includes("header")],
  ["Headers and windows", (name) => name.includes("header") || name.startsWith("init_")],
  ["TCP flags", (name) => name.includes("flag")],
  ["Bulk transfers", (name) => name.includes("bulk")],
  ["Other", () => true],
];

export function hit(found) {
  const { event } = found;
  const { verdict } = event.class;
  return el("li", { class: `hit ${verdict ?? ""}` },
    el("article", { "aria-label": `${event.flow.src_ip} to ${event.flow.dst_ip}` },
      el("header", {}, ends(event.flow), ...badges(event), likeness(found)),
      facts(event),
      reasons(found.reasons),
      details(event)));
}

function ends(flow) {
  return el("span", { class: "ends-line" },
    ...end(flow.src_ip, flow.src_port),
    el("span", { class: "arrow", "aria-label": "to" }, "→"),
    ...end(flow.dst_ip, flow.dst_port));
}

const end = (ip, port) => (port === 0 ? [ip] : [address(ip), el("span", { class: "port" }, `:${port}`)]);

function badges(event) {
  const { flow, app } = event;
  const carried = protocol(flow.protocol);
  const service = app.protocol ? visible(app.protocol) : null;
  return [
    el("span", { class: "badge" }, service && service.toUpperCase() !== carried ? `${service} over ${carried}` : carried),
    event.class.verdict && el("span", { class: `badge ${event.class.verdict}` }, judged(event.class)),
  ].filter(Boolean);
}

const judged = ({ verdict, family }) => (family ? `${verdict}: ${visible(family.replaceAll("_", " "))}` : verdict);

function likeness({ similarity }) {
  if (similarity === null || similarity === undefined) return null;
  const level = Math.max(0, Math.min(1, similarity));
  return el("span", { class: "likeness", title: "Cosine between the words of your question and this event" },
    svg("svg", { viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true" },
      svg("rect", { class: "track", width: 100, height: 6 }),
      svg("rect", { class: "level", width: 100 * level, height: 6 })),
    `${similarity.toFixed(2)} similar`);
}

function facts(event) {
  const { features, app } = event;
  const sent = bytes(features.sbytes);
  const back = bytes(features.dbytes);
  const lasted = duration(features.duration ?? event.end_us - event.start_us);
  const when = el("time", { datetime: iso(event.start_us) }, time(event.start_us));
  return el("dl", { class: "facts" },
    fact("at", when),
    sent !== null && fact("sent", sent),
    back !== null && fact("back", back),
    fact("for", lasted),
    app.host && fact("host", visible(app.host)),
    event.class.technique && fact("technique", visible(event.class.technique)));
}

const fact = (name, value) => el("div", {}, el("dt", {}, name), el("dd", {}, value));

function reasons(list) {
  if (list.length === 0) return null;
  return el("ul", { class: "reasons", "aria-label": "Why it matched" },
    list.map(({ kind, text }) => el("li", { class: kind }, visible(text))));
}

// Everything about the event. Made when opened: eighty-three rows for each of many hits would be slow for nothing.
function details(event) {
  const body = el("div", { class: "body" });
  return el("details", {
    class: "details",
    toggle: () => body.childElementCount === 0 && body.append(envelope(event), ...featureGroups(event.features)),
  }, el("summary", {}, "Details"), body);
}

function envelope(event) {
  const { flow, scores, label } = event;
  const rows = [
    ["event_id", event.event_id], ["community_id", flow.community_id], ["first packet", iso(event.start_us)],
    ["last packet", iso(event.end_us)], ["sensor", event.sensor], ["node", event.node_id], ["seen on", event.interface],
    ["vlan", flow.vlan], ["segment", flow.segment], ["score", scores.final], ["score, fast", scores.fast], ["score, learned", scores.ml],
    ["label", label.truth],
  ];
  const known = rows.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return group("Event", known.map(([name, value]) => [name, typeof value === "number" ? number(value) : visible(String(value))]));
}

function featureGroups(features) {
  const left = new Map(Object.entries(features));
  return GROUPS.map(([title, belongs]) => {
    const names = [...left.keys()].filter(belongs);
    const rows = names.map((name) => [name, left.get(name)]);
    names.forEach((name) => left.delete(name));
    return rows.length === 0 ? null : group(title, rows.map(([name, value]) => [name, value === null ? null : number(value)]));
  }).filter(Boolean);
}

function group(title, rows) {
  return el("section", {},
    el("h4", {}, `${title} (${count(rows.length)})`),
    el("dl", {}, rows.map(([name, value]) => el("div", {},
      el("dt", {}, name),
      value === null ? el("dd", { class: "unknown" }, "unknown") : el("dd", {}, value)))));
}
