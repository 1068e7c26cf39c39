import { createHash } from "node:crypto";

/** SHA-256 of a text's UTF-8. The runtime's own and synchronous, so that it can stand inside a transaction. */
export const sha256 = (text: string): Uint8Array => createHash("sha256").update(text).digest();

/** The same in hexadecimal. */
export const sha256Hex = (text: string): string => createHash("sha256").update(text).digest("hex");
