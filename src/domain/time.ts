/** An RFC 3339 time in UTC with six decimals: sorts as text in the order of time. */
export type Instant = string;

/** How the wire writes "no time": never null (contract/core.md section 1.6). */
export const ZERO_TIME = "0001-01-01T00:00:00Z";

/** The engine takes 24:00:00 for the midnight after; RFC 3339 ends a day at 23. */
const RFC3339 =
  /^(\d{4}-\d{2}-\d{2})[Tt]((?:[01]\d|2[0-3]):\d{2}:\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})$/;

/** The instant of microseconds since 1970. */
export function instantOfMicros(micros: number): Instant {
  const millis = Math.floor(micros / 1000);
  const rest = String(micros - millis * 1000).padStart(3, "0");
  return new Date(millis).toISOString().replace("Z", `${rest}Z`);
}

/** Milliseconds since 1970 of an instant. */
export const millisOf = (instant: Instant): number => Date.parse(instant);

/** Microseconds since 1970 of an instant. */
export const microsOf = (instant: Instant): number =>
  millisOf(instant) * 1000 + Number(instant.slice(23, 26));

/** Reads an RFC 3339 time with its offset, up to nine decimals (cut to six); null if it is none. */
export function parseInstant(text: string): Instant | null {
  const parts = RFC3339.exec(text);
  if (parts === null) return null;
  const [, date, time, fraction = "", offset = "Z"] = parts;
  const millis = Date.parse(`${date}T${time}${offset.toUpperCase()}`);
  if (date === undefined || Number.isNaN(millis) || !isDay(date)) return null;
  const utc = new Date(millis).toISOString();
  if (!/^\d{4}-/.test(utc)) return null;
  return utc.replace(/\.000Z$/, `.${fraction.slice(0, 6).padEnd(6, "0")}Z`);
}

/** Whether the calendar has this day: the engine takes 30 February for 2 March. */
const isDay = (date: string): boolean =>
  new Date(`${date}T00:00:00Z`).toISOString().startsWith(date);

/** The instant as the wire shows it: trailing zeros of the fraction trimmed. */
export const showInstant = (instant: Instant): string =>
  instant.replace(/\.(\d*?)0*Z$/, (_all, kept: string) => (kept === "" ? "Z" : `.${kept}Z`));

/** The later of two instants; "" is before all. */
export function laterOf(one: Instant, other: Instant): Instant {
  if (one > other) return one;
  return other;
}
