import { type Answer, field, get, listOf, post, textOf, type Value } from "./api";
import { moveNow, newLedger, unique } from "./ledger";

export const newOwner = async (firstName: string): Promise<string> =>
  textOf(await post("/identities", { first_name: firstName, last_name: "Owner" }), "identity_id");

/** A balance that tracks its funds, of an owner of its own unless one is given. */
export async function newWallet(
  options: { readonly strategy?: string; readonly owner?: string } = {},
): Promise<string> {
  const answer = await post("/balances", {
    ledger_id: await newLedger(),
    currency: "USD",
    identity_id: options.owner ?? (await newOwner("Ada")),
    track_fund_lineage: true,
    allocation_strategy: options.strategy ?? "FIFO",
  });
  return textOf(answer, "balance_id");
}

/** Money of a provider, from outside. */
export const bring = async (
  to: string,
  amount: bigint,
  provider: string,
  reference = unique("bring"),
) =>
  textOf(
    await moveNow({
      from: "@World",
      to,
      amount,
      reference,
      options: { allow_overdraft: true, meta_data: { BLNK_LINEAGE_PROVIDER: provider } },
    }),
    "transaction_id",
  );

/** What a balance has of each provider: amount, available, spent, and what is held. */
export async function fundsOf(balanceId: string): Promise<string[]> {
  const answer = await get(`/balances/${balanceId}/lineage`);
  return partsOf(answer, "providers").map((part) => {
    const held = optional(part, "held");
    const [provider, amount, available, spent] = ["provider", "amount", "available", "spent"].map(
      (name) => field(part, name),
    );
    return `${provider}: ${amount} = ${available} + ${spent}${held === null ? "" : ` + ${held} held`}`;
  });
}

export const partsOf = (answer: Answer, name: string): Answer[] =>
  listOf({ ...answer, body: field(answer, name) }).map((body) => ({ ...answer, body }));

/** A field that need not be there. */
function optional({ body }: Answer, name: string): Value {
  const isRecord = typeof body === "object" && body !== null && !Array.isArray(body);
  return (isRecord ? body[name] : null) ?? null;
}

/** The shadow transactions of one, and what it spent of whom. */
export async function lineageOf(transactionId: string) {
  const answer = await get(`/transactions/${transactionId}/lineage`);
  return {
    allocation: optional(answer, "fund_allocation"),
    shadows:
      field(answer, "shadow_transactions") === null ? [] : partsOf(answer, "shadow_transactions"),
  };
}

export const shadowIds = async (transactionId: string): Promise<string[]> =>
  (await lineageOf(transactionId)).shadows.map((shadow) => textOf(shadow, "transaction_id"));

export const idOfIndicator = async (indicator: string): Promise<string> =>
  textOf(
    await get(`/balances/indicator/${encodeURIComponent(indicator)}/currency/USD`),
    "balance_id",
  );
