/** Writes one JSON object on a line: a past-tense event and its fields. No keys, secrets or bodies among them. */
export function log(event: string, fields: Readonly<Record<string, unknown>>): void {
  console.log(JSON.stringify({ event, ...fields }));
}
