import { sha256 as digestOf } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

const encoder = new TextEncoder();

/** SHA-256 of a text's UTF-8: synchronous, so that it can stand inside a transaction. */
export const sha256 = (text: string): Uint8Array => digestOf(encoder.encode(text));

/** The same in hexadecimal. */
export const sha256Hex = (text: string): string => bytesToHex(sha256(text));
