/** A number as JSON text, to be written as it stands. It cannot be cloned or sent over RPC. */
interface RawJson {
  readonly rawJSON: string;
}

/** What the engine has and TypeScript's libraries don't know yet: the source text of numbers, both ways. */
interface JSON {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context?: { readonly source?: string }) => unknown,
  ): unknown;
  /** The text must be that of a primitive JSON value. */
  rawJSON(text: string): RawJson;
  isRawJSON(value: unknown): value is RawJson;
}
