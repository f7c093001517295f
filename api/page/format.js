// Numbers, times and names for people.

const PROTOCOLS = { 1: "ICMP", 2: "IGMP", 6: "TCP", 17: "UDP", 41: "IPv6", 47: "GRE", 50: "ESP", 51: "AH", 58: "ICMPv6", 89: "OSPF", 132: "SCTP" };

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });

export const count = (number) => whole.format(number);
export const number = (value) => (Number.isInteger(value) ? whole.format(value) : short.format(value));
export const protocol = (value) => PROTOCOLS[value] ?? `protocol ${value}`;

export function bytes(value) {
  if (value === null || value === undefined) return null;
  const units = ["B", "kB", "MB", "GB", "TB"];
  let step = 0;
  while (value >= 999.5 && step < units.length - 1) {
    value /= 1000;
    step += 1;
  }
  return `${step === 0 ? whole.format(value) : value.toPrecision(3)} ${units[step]}`;
}

export function duration(us) {
  if (us === null || us === undefined) return null;
  if (us < 1000) return `${number(us)} µs`;
  if (us < 1e6) return `${(us / 1e3).toPrecision(3)} ms`;
  if (us < 60e6) return `${(us / 1e6).toPrecision(3)} s`;
  const minutes = Math.floor(us / 60e6);
  if (minutes < 60) return `${minutes} min ${Math.round((us % 60e6) / 1e6)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

// Date and time in the reader's zone, to the second.
export function time(us) {
  const date = new Date(us / 1000);
  const pad = (part) => String(part).padStart(2, "0");
  return `${day(us)} ${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}

export function day(us) {
  const date = new Date(us / 1000);
  const pad = (part) => String(part).padStart(2, "0");
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
}

export const iso = (us) => new Date(us / 1000).toISOString();

// An address with its port, or alone where there is none.
export const address = (ip) => (ip.includes(":") ? `[${ip}]` : ip);

// Control and direction characters could make a name look like another, so they are shown as what they are.
export function visible(text) {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, (mark) => `\\u{${mark.codePointAt(0).toString(16)}}`);
}
