import { sha256 as sha2 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

const encoder = new TextEncoder();

/*
 * A hash of its own for each text would be a buffer outside the heap each time, and those cost more than the hashing: one
 * hasher and its buffers serve all. Nothing here awaits, so nobody meets them half used.
 */
const unused = sha2.create();
const hasher = sha2.create();
const input = new Uint8Array(16_384);
const output = new Uint8Array(sha2.outputLen);

/** The digest, in bytes that the next text overwrites. */
function digest(text: string): Uint8Array {
  const { read, written } = encoder.encodeInto(text, input);
  const bytes = read < text.length ? encoder.encode(text) : input.subarray(0, written);
  unused._cloneInto(hasher).update(bytes).digestInto(output);
  return output;
}

/** SHA-256 of a text's UTF-8: synchronous, so that it can stand inside a transaction. */
export const sha256 = (text: string): Uint8Array => digest(text).slice();

/** The same in hexadecimal. */
export const sha256Hex = (text: string): string => bytesToHex(digest(text));
