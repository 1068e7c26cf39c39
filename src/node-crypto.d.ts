/** The one thing that Purser takes from Node's own modules; the runtime has it under `nodejs_compat`. */
declare module "node:crypto" {
  interface Hash {
    update(text: string): Hash;
    digest(): Uint8Array;
    digest(encoding: "hex"): string;
  }
  export function createHash(algorithm: "sha256"): Hash;
}
