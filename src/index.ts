import { DurableObject } from "cloudflare:workers";

/** One balance. */
export class BalanceObject extends DurableObject<Env> {}

/** One shard of the journal. */
export class JournalObject extends DurableObject<Env> {}

export default {
  fetch: () => Response.json({ status: "UP" }),
} satisfies ExportedHandler<Env>;
