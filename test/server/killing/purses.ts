import { expect } from "vitest";
import type { Reader } from "./books.ts";
import type { Ledger } from "./client.ts";
import { FUNDED, FUNDED_POORLY, type Movement, type Purse } from "./story.ts";
import { type Ask, movementBody, type Shown } from "./wire.ts";

const WALLETS = 4;

/** Wallets in each currency, with what they are funded with from the outside world. */
export async function makePurses(
  reader: Reader,
  ledger: Ledger,
  currencies: readonly string[],
): Promise<Purse[]> {
  const body = { name: "Under fire" };
  const made = await reader.read<{ ledger_id: string }>({ method: "POST", path: "/ledgers", body });
  const purses: Purse[] = [];
  for (const currency of currencies) {
    const wallets: string[] = [];
    const wallet = { ledger_id: made.ledger_id, currency };
    for (let index = 0; index < WALLETS; index += 1) {
      wallets.push(await makeWallet(reader, ledger, { wallet, minor: FUNDED }));
    }
    const poor = await makeWallet(reader, ledger, { wallet, minor: FUNDED_POORLY });
    purses.push({ currency, wallets, poor });
  }
  return purses;
}

async function makeWallet(
  reader: Reader,
  ledger: Ledger,
  {
    wallet,
    minor,
  }: { wallet: { readonly ledger_id: string; readonly currency: string }; minor: bigint },
): Promise<string> {
  const made = { method: "POST", path: "/balances", body: wallet } as const;
  const { balance_id: id } = await reader.read<{ balance_id: string }>(made);
  const { currency } = wallet;
  const funds: Movement = {
    reference: `funds-of-${id}`,
    currency,
    source: "@World",
    destination: id,
    minor,
  };
  const body = { ...movementBody(funds), skip_queue: true };
  const shown = await reader.read<Shown>({ method: "POST", path: "/transactions", body });
  ledger.learn(funds.reference, shown.transaction_id);
  const movement = { ...funds, source: shown.source };
  const how = { inflight: false, skipQueue: true, key: null, chance: "surely" } as const;
  ledger.accepted.set(funds.reference, { movement, step: { kind: "post", movement, ...how } });
  return id;
}

/** Settles the holds that nobody has settled: whatever is held afterwards is held for no reason. */
export async function voidOpenHolds(ask: Ask, ledger: Ledger): Promise<void> {
  const settled = new Set(ledger.followed.map(({ of }) => of));
  for (const [reference, { step }] of ledger.accepted) {
    if (step.kind !== "post" || !step.inflight || settled.has(reference)) continue;
    const path = `/transactions/inflight/${ledger.idOf(reference)}`;
    const answer = await ask({ method: "PUT", path, body: { status: "void", skip_queue: true } });
    expect(answer?.status, answer?.text).toBe(200);
    ledger.followed.push({ kind: "void", of: reference, minor: null, skipQueue: true, key: "" });
  }
}
