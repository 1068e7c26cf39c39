/**
 * Virtual cards: each card is a balance. A payment is authorised by holding its amount, approved by committing the hold,
 * declined by voiding it; the card's state lives in its metadata; a receiver hears of every step.
 */
import { isDeepStrictEqual } from "node:util";
import {
  baseUrl,
  blnk,
  dataOf,
  getJson,
  masterKey,
  run,
  say,
  show,
  tell,
  until,
} from "./support/account.ts";
import { listen, type Receiver } from "./support/receiver.ts";

const { Ledgers, Identity, LedgerBalances, Transactions, Metadata } = blnk;

const receiverPort = process.env.RECEIVER_PORT;

/** The events that this run must cause, by event and reference. */
const expectedEvents: string[] = [];

/** What can be spent: settled money less what is held. Cents. */
async function availableOn(card: string): Promise<bigint> {
  const balance = dataOf(await LedgerBalances.get(card));
  return BigInt(balance.balance) - BigInt(balance.inflight_debit_balance);
}

async function settledOn(card: string): Promise<bigint> {
  return BigInt(dataOf(await LedgerBalances.get(card)).balance);
}

async function issueCard(owner: { ledger_id: string; identity_id: string }, lastFour: string) {
  // The issuing partner keeps number and CVV. Only what may be shown is stored here.
  const card = dataOf(
    await LedgerBalances.create({
      ...owner,
      currency: "USD",
      meta_data: {
        customer_name: "Jerry",
        card_state: "ACTIVE",
        card_details: {
          masked_number: `**** **** **** ${lastFour}`,
          expiry: "11/29",
          type: "virtual",
        },
      },
    }),
  );
  show("card", card.meta_data?.card_details.masked_number, `**** **** **** ${lastFour}`);
  show("its state", card.meta_data?.card_state, "ACTIVE");
  return card.balance_id;
}

async function openCards() {
  const ledger = dataOf(await Ledgers.create({ name: "USD Ledger" }));
  say(`USD Ledger ${ledger.ledger_id}`);
  const jerry = dataOf(
    await Identity.create({ identity_type: "individual", first_name: "Jerry", last_name: "Cole" }),
  );
  const owner = { ledger_id: ledger.ledger_id, identity_id: jerry.identity_id };
  say(`Jerry's cards (${jerry.identity_id})`);
  const shopping = await issueCard(owner, "4321");
  const travel = await issueCard(owner, "8765");

  const reference = `fund-${run}`;
  const funded = dataOf(
    await Transactions.create({
      amount: 500,
      precision: 100,
      currency: "USD",
      source: "@FundingUSD",
      destination: shopping,
      allow_overdraft: true,
      skip_queue: true,
      reference,
      description: "Fund the card",
    }),
  );
  expectedEvents.push(`transaction.applied ${reference}`);
  show("funding", funded.status, "APPLIED");
  show("on the card", await settledOn(shopping), 500_00n);
  return { shopping, travel };
}

/** Authorises a payment: the amount is held. A card that is not ACTIVE is refused before the ledger is asked. */
async function authorise(card: string, amount: number, purpose: string) {
  const { meta_data } = dataOf(await LedgerBalances.get(card));
  if (meta_data?.card_state !== "ACTIVE") return { refusal: `card is ${meta_data?.card_state}` };
  const reference = `${purpose}-${run}`;
  const answer = await Transactions.create({
    amount,
    precision: 100,
    currency: "USD",
    source: card,
    destination: "@MerchantsUSD",
    inflight: true,
    skip_queue: true,
    reference,
    description: purpose,
    meta_data: { verification_status: "PENDING" },
  });
  if (answer.error) return { refusal: answer.error.code };
  expectedEvents.push(`transaction.inflight ${reference}`);
  return { hold: dataOf(answer).transaction_id };
}

function holdOf(outcome: { hold?: string; refusal?: string }): string {
  if (outcome.hold === undefined) throw new Error(`not authorised: ${outcome.refusal}`);
  return outcome.hold;
}

/** Approves a held payment, whole or in part, and notes that it was verified. */
async function approve(hold: string, amount?: number): Promise<void> {
  const part = amount === undefined ? {} : { amount };
  const committed = dataOf(
    await Transactions.updateStatus(hold, { status: "commit", skip_queue: true, ...part }),
  );
  expectedEvents.push(`transaction.applied ${committed.reference}`);
  show("committed", committed.status, "APPLIED");
  show("under the hold", committed.parent_transaction === hold, true);
  await Metadata.update(hold, { meta_data: { verification_status: "VERIFIED" } });
}

/** Declines a held payment: what is still held goes back. */
async function decline(hold: string, status: string): Promise<void> {
  const released = dataOf(
    await Transactions.updateStatus(hold, { status: "void", skip_queue: true }),
  );
  expectedEvents.push(`transaction.void ${released.reference}`);
  show("given back", released.status, "VOID");
  show("under the hold", released.parent_transaction === hold, true);
  await Metadata.update(hold, { meta_data: { verification_status: status } });
}

async function verificationOf(transaction: string): Promise<unknown> {
  return dataOf(await Transactions.get(transaction)).meta_data?.verification_status;
}

async function payInFull(card: string): Promise<void> {
  say("A payment of 120.00 is authorised, and approved in full");
  const hold = holdOf(await authorise(card, 120, "groceries"));
  show("on the card, still", await settledOn(card), 500_00n);
  show("available, without what is held", await availableOn(card), 380_00n);
  const second = await authorise(card, 380.01, "television");
  show("another one of 380.01 is refused", second.refusal, "TXN_INSUFFICIENT_FUNDS");
  await approve(hold);
  show("on the card", await settledOn(card), 380_00n);
  show("available", await availableOn(card), 380_00n);
  show("verification", await verificationOf(hold), "VERIFIED");

  const again = await Transactions.updateStatus(hold, { status: "commit", skip_queue: true });
  show("approving it again changes nothing", again.error?.code, "TXN_ALREADY_COMMITTED");
  show("on the card", await settledOn(card), 380_00n);
}

async function payInPart(card: string): Promise<void> {
  say("A hotel holds 200.00 and takes 155.50 of it");
  const hold = holdOf(await authorise(card, 200, "hotel"));
  show("available", await availableOn(card), 180_00n);
  await approve(hold, 155.5);
  show("on the card", await settledOn(card), 224_50n);
  show("available, 44.50 still held", await availableOn(card), 180_00n);
  await decline(hold, "VERIFIED");
  show("available, the rest given back", await availableOn(card), 224_50n);
}

async function beDeclined(card: string): Promise<void> {
  say("A payment of 99.99 is authorised, and declined");
  const hold = holdOf(await authorise(card, 99.99, "unknown-shop"));
  show("available", await availableOn(card), 124_51n);
  await decline(hold, "DECLINED");
  show("on the card", await settledOn(card), 224_50n);
  show("available", await availableOn(card), 224_50n);
  show("verification", await verificationOf(hold), "DECLINED");
}

async function beBlocked(card: string): Promise<void> {
  say("A card is reported lost, and blocked");
  const update = dataOf(
    await Metadata.update(card, { meta_data: { card_state: "BLOCKED", blocked_because: "lost" } }),
  );
  show("its state", update.meta_data.card_state, "BLOCKED");
  const outcome = await authorise(card, 1, "after-the-loss");
  show("a payment is not authorised", outcome.refusal, "card is BLOCKED");
  show("its transactions", await getJson(`/transactions?balance_id_eq=${card}`), []);
}

async function checkEvents(receiver: Receiver, cards: readonly string[]): Promise<void> {
  say("What the receiver heard of these cards");
  const heard = () =>
    receiver.handled.filter(
      ({ source, destination }) => cards.includes(source) || cards.includes(destination),
    );
  const firstVoid = () => receiver.handled.find(({ event }) => event === "transaction.void");
  const cameAgain = () => receiver.duplicates.filter((id) => id === firstVoid()?.id).length;
  await until("the delivery of every event", async () =>
    heard().length >= expectedEvents.length && cameAgain() > 0 ? true : null,
  );
  const steps = heard().map(({ event, reference }) => `${event} ${reference}`);
  for (const step of steps) console.log(`  ${step}`);
  const everyOnce = isDeepStrictEqual(steps.sort(), [...expectedEvents].sort());
  show("every step, and each once", everyOnce, true);
  show("the one answered 500 came again", cameAgain(), 1);

  const forged = await fetch(`http://127.0.0.1:${receiverPort}/webhooks`, {
    method: "POST",
    headers: {
      "X-Blnk-Timestamp": String(Math.floor(Date.now() / 1000)),
      "X-Blnk-Signature": "00",
    },
    body: JSON.stringify({ event: "transaction.applied", data: {} }),
  });
  show("a forged event is refused", [forged.status, receiver.forgeries], [401, 1]);
}

await tell(async () => {
  console.log(`Virtual cards on ${baseUrl}`);
  const receiver =
    receiverPort === undefined
      ? null
      : await listen(Number(receiverPort), masterKey, "transaction.void");
  try {
    const { shopping, travel } = await openCards();
    await payInFull(shopping);
    await payInPart(shopping);
    await beDeclined(shopping);
    await beBlocked(travel);
    if (receiver !== null) await checkEvents(receiver, [shopping, travel]);
  } finally {
    receiver?.close();
  }
});
