export { BalanceObject } from "./durable/balance/object";
export { JournalObject } from "./durable/journal/object";

export default {
  fetch: () => Response.json({ status: "UP" }),
} satisfies ExportedHandler<Env>;
