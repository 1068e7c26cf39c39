import { z } from "@hono/zod-openapi";
import { parseJson } from "../domain/json";
import type { MetaDataText } from "../domain/metadata";
import { bodyOf, objectOut, wireMetaData } from "./common";
import { isJsonObject } from "./json";

/** The body of `POST /{id}/metadata`. */
export const MetaDataRequest = bodyOf({ meta_data: wireMetaData }).openapi("MetaDataRequest");

/** Its answer: the merged metadata, or for a transaction what was sent. */
export const MetaDataBody = z.object({ meta_data: objectOut }).openapi("MetaData");

/** For answers: a record's metadata, null when it has none. */
export const metaDataOut = z
  .record(z.string(), z.unknown())
  .nullable()
  .openapi({ type: ["object", "null"], additionalProperties: true });

/** A record's metadata for the wire, digits kept; null when it has none. */
export function shownObject(metaData: MetaDataText | null): { [key: string]: unknown } | null {
  const value = metaData === null ? null : parseJson(metaData);
  return isJsonObject(value) ? { ...value } : null;
}
