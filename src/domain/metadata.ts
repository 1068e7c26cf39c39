import { parseJson, stringifyJson } from "./json";

/** A JSON object as text: how metadata travels and is stored, so that no number in it loses a digit. */
export type MetaDataText = string;

/** How much metadata a record may have, in characters of JSON text: a row must stay far below 2 MB. */
export const METADATA_MAX = 256 * 1024;

/** Why metadata is refused, or null. */
export const brokenMetaData = (metaData: MetaDataText | null): string | null =>
  metaData !== null && metaData.length > METADATA_MAX
    ? `is longer than ${METADATA_MAX} characters`
    : null;

/**
 * Metadata after a merge: top-level keys of `patch` replace those of `existing`, nested objects are not
 * merged, and no key can be removed (contract/core.md section 7).
 */
export function mergeMetaData(existing: MetaDataText | null, patch: MetaDataText): MetaDataText {
  const before = existing === null ? {} : asObject(parseJson(existing));
  return stringifyJson({ ...before, ...asObject(parseJson(patch)) });
}

function asObject(value: unknown): object {
  return typeof value === "object" && value !== null ? value : {};
}
