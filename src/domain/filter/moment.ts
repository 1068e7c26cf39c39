import type { Instant } from "../time";

/** The unit of time that a text names: a whole day, a whole second, … Both ends belong to it. */
export interface Moment {
  readonly start: Instant;
  readonly end: Instant;
}

const FORM =
  /^(\d{4})([-/])(\d{2})\2(\d{2})(?:[Tt ]([01]\d|2[0-3]):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?([Zz]|[+\- ]\d{2}:\d{2})?)?$/;

/**
 * Reads a date or a date-time in the forms of contract/core.md section 10.3; without a zone it is UTC. A space before
 * the zone is a plus that a URL swallowed. Null when the text is no such form, no such day, or no year 1 to 9999.
 */
export function parseMoment(text: string): Moment | null {
  const parts = FORM.exec(text);
  if (parts === null) return null;
  const [, year, separator, month, day, hour, minute, second, fraction = "", zone = "Z"] = parts;
  if (separator === "/" && hour !== undefined) return null;
  const date = `${year}-${month}-${day}`;
  if (!isDay(date)) return null;
  const time = `${hour ?? "00"}:${minute ?? "00"}:${second ?? "00"}`;
  const millis = Date.parse(`${date}T${time}${zone.toUpperCase().replace(" ", "+")}`);
  if (Number.isNaN(millis)) return null;

  // Five decimals and fewer name a millisecond, as in Blnk; six and more a microsecond.
  const decimals = fraction.slice(0, fraction.length < 6 ? 3 : 6).padEnd(6, "0");
  const start = instantAt(millis, decimals);
  if (fraction.length >= 6) return bothOrNone(start, start);
  const unit = fraction === "" ? unitMillis(hour, second) : 1;
  const last = millis + unit - 1 + Number(decimals.slice(0, 3));
  return bothOrNone(start, instantAt(Math.floor(last / 1000) * 1000, lastDecimals(last)));
}

/** `Date.parse` alone takes 30 February for 2 March. */
function isDay(date: string): boolean {
  const midnight = new Date(`${date}T00:00:00Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(date);
}

function unitMillis(hour: string | undefined, second: string | undefined): number {
  if (hour === undefined) return 24 * 60 * 60 * 1000;
  return second === undefined ? 60 * 1000 : 1000;
}

/** The end of the millisecond: three decimals of it, and the last microsecond. */
const lastDecimals = (millis: number): string =>
  `${String(((millis % 1000) + 1000) % 1000).padStart(3, "0")}999`;

/** An instant from whole seconds and six decimals: microseconds of far years are beyond a double. */
const instantAt = (secondMillis: number, decimals: string): Instant =>
  new Date(secondMillis).toISOString().replace(/\.\d{3}Z$/, `.${decimals}Z`);

/** Outside the years 1 to 9999 instants stop sorting as text. */
function bothOrNone(start: Instant, end: Instant): Moment | null {
  const sortable = /^(?!0000)\d{4}-/;
  return sortable.test(start) && sortable.test(end) ? { start, end } : null;
}
