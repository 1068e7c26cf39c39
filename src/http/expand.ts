import type { Context } from "hono";
import { refusal } from "../domain/error";
import { err } from "../domain/result";
import type { AppEnv } from "./env";
import { unwrap } from "./errors";

/** Asks for more in one answer. Documented where it has an effect; what it may hold is checked by `wantsBalances`. */
export const expandParameter = {
  name: "expand",
  in: "query",
  required: false,
  schema: { type: "string", example: "balances" },
  description:
    "`balances` adds the balances as the transaction left them. The header `Prefer: return=representation` asks for the same.",
} as const;

const PREFERENCE = "return=representation";

const isPreferred = (c: Context<AppEnv>): boolean =>
  c.req
    .header("Prefer")
    ?.toLowerCase()
    .split(/[,;]/)
    .some((each) => each.replace(/[\s"]/g, "") === PREFERENCE) ?? false;

/** Whether the answer is to show the resulting balances. `GEN_VALIDATION_ERROR` for anything else to expand. */
export function wantsBalances(c: Context<AppEnv>): boolean {
  const expand = c.req.queries("expand")?.join();
  if (expand !== undefined && expand !== "balances") {
    return unwrap(err(refusal("GEN_VALIDATION_ERROR", "expand can only be balances")));
  }
  return expand === "balances" || isPreferred(c);
}

/** Says that the preference was followed, where one was sent (RFC 7240). */
export function confirmPreference(c: Context<AppEnv>): void {
  if (isPreferred(c)) c.header("Preference-Applied", PREFERENCE);
}
