import { compose, composeConsumers, composeScheduled } from "./compose";
import { consume } from "./consumers/queue";
import { runScheduled } from "./consumers/scheduled";
import { api } from "./http/api";

export { BalanceObject } from "./durable/balance/object";
export { JournalObject } from "./durable/journal/object";

export default {
  fetch: (request, env, ctx) => api.fetch(request, compose(env), ctx),
  queue: (batch, env) => consume(batch, composeConsumers(env)),
  scheduled: async (_controller, env) => runScheduled(await composeScheduled(env)),
} satisfies ExportedHandler<Cloudflare.Env>;
