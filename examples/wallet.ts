/**
 * A wallet from end to end with the official TypeScript client: a customer, a main wallet and a card wallet, a deposit,
 * a withdrawal and a transfer, what is refused, and the books at the end.
 */
import { blnk, dataOf, dollars, getJson, run, say, show, tell, until } from "./support/account.ts";

const { Ledgers, Identity, LedgerBalances, Transactions } = blnk;

interface Movement {
  readonly amount: number;
  readonly source: string;
  readonly destination: string;
  readonly reference: string;
  readonly description: string;
  readonly allow_overdraft?: boolean;
  readonly meta_data: Record<string, string>;
}

/** Every movement of this example: dollars, in cents. */
const movementOf = (movement: Movement) => ({ ...movement, currency: "USD", precision: 100 });

/** Records a movement and waits until the ledger has decided it. */
async function move(movement: Movement): Promise<{ id: string; status: string }> {
  const recorded = dataOf(await Transactions.create(movementOf(movement)));
  show(`${movement.description}, ${movement.amount}: recorded as`, recorded.status, "QUEUED");
  return until("the decision", async () => {
    const now = dataOf(await Transactions.get(recorded.transaction_id));
    return now.status === "QUEUED" ? null : { id: now.transaction_id, status: now.status };
  });
}

/** What settled in a balance, in cents. */
async function balanceOf(balanceId: string): Promise<bigint> {
  return BigInt(dataOf(await LedgerBalances.get(balanceId)).balance);
}

/** What the outside world has given, as a negative balance; it exists from its first use on. */
async function worldBalance(): Promise<bigint> {
  const answer = await LedgerBalances.getByIndicator("@WorldUSD", "USD");
  return answer.status === 404 ? 0n : BigInt(dataOf(answer).balance);
}

async function openWallets() {
  const ledger = dataOf(
    await Ledgers.create({
      name: "Customer Wallets Ledger",
      meta_data: {
        description: "Ledger for managing customer wallets",
        application: "Wallet Management System",
      },
    }),
  );
  say(`Ledger ${ledger.ledger_id}`);
  show("name", ledger.name, "Customer Wallets Ledger");

  const identity = dataOf(
    await Identity.create({
      identity_type: "individual",
      first_name: "Ada",
      last_name: "Eze",
      email_address: "ada@example.com",
      phone_number: "+2348012345678",
      meta_data: { customer_id: `customer-${run}`, registration_date: new Date().toISOString() },
    }),
  );
  say(`Customer ${identity.identity_id}`);
  show("name", `${identity.first_name} ${identity.last_name}`, "Ada Eze");
  show("customer_id", identity.meta_data?.customer_id, `customer-${run}`);

  const owner = {
    ledger_id: ledger.ledger_id,
    identity_id: identity.identity_id,
    currency: "USD",
  };
  const main = dataOf(
    await LedgerBalances.create({
      ...owner,
      meta_data: { wallet_type: "main", purpose: "general", status: "active" },
    }),
  );
  const cardDetails = { masked_number: "xxxx-xxxx-xxxx-1234", expiry: "12/25", type: "virtual" };
  const card = dataOf(
    await LedgerBalances.create({
      ...owner,
      meta_data: {
        wallet_type: "card",
        purpose: "card_payments",
        status: "active",
        card_details: cardDetails,
      },
    }),
  );
  say(`Main wallet ${main.balance_id}, card wallet ${card.balance_id}`);
  show("main wallet", BigInt(main.balance), 0n);
  show("card wallet", BigInt(card.balance), 0n);
  show("card details, the number masked", card.meta_data?.card_details, cardDetails);
  return { customer: identity.identity_id, main: main.balance_id, card: card.balance_id };
}

type Wallets = Awaited<ReturnType<typeof openWallets>>;

async function moveMoney({ main, card }: Wallets): Promise<string> {
  say("A deposit from outside: @WorldUSD may go negative");
  const deposit = await move({
    amount: 1000,
    source: "@WorldUSD",
    destination: main,
    allow_overdraft: true,
    reference: `deposit-${run}`,
    description: "Deposit to wallet",
    meta_data: { transaction_type: "deposit", channel: "bank_transfer" },
  });
  show("decided", deposit.status, "APPLIED");
  show("main wallet", await balanceOf(main), 1000_00n);

  say("A withdrawal to outside");
  const withdrawal = await move({
    amount: 150.25,
    source: main,
    destination: "@WorldUSD",
    reference: `withdrawal-${run}`,
    description: "Withdrawal from wallet",
    meta_data: { transaction_type: "withdrawal", channel: "bank_transfer" },
  });
  show("decided", withdrawal.status, "APPLIED");
  show("main wallet", await balanceOf(main), 849_75n);

  say("A transfer to the card wallet");
  const transfer = await move({
    amount: 200.5,
    source: main,
    destination: card,
    reference: `transfer-${run}`,
    description: "Transfer to card wallet",
    meta_data: { transaction_type: "internal_transfer", purpose: "fund_card" },
  });
  show("decided", transfer.status, "APPLIED");
  show("main wallet", await balanceOf(main), 649_25n);
  show("card wallet", await balanceOf(card), 200_50n);
  return deposit.id;
}

async function beRefused({ main, card }: Wallets, depositId: string): Promise<void> {
  const tooMuch = {
    amount: 649.26,
    source: main,
    destination: "@WorldUSD",
    description: "Withdrawal from wallet",
    meta_data: { transaction_type: "withdrawal", channel: "bank_transfer" },
  };
  say("A withdrawal of a cent more than there is");
  const rejected = await move({ ...tooMuch, reference: `too-much-${run}` });
  show("decided", rejected.status, "REJECTED");
  const refused = await Transactions.create({
    ...movementOf({ ...tooMuch, reference: `too-much-now-${run}` }),
    skip_queue: true,
  });
  show("without the queue it is refused at once", refused.status, 400);
  show("with the code", refused.error?.code, "TXN_INSUFFICIENT_FUNDS");
  show("main wallet, as before", await balanceOf(main), 649_25n);

  say("The deposit's reference once more");
  const repeated = await Transactions.create(
    movementOf({
      amount: 1000,
      source: "@WorldUSD",
      destination: card,
      allow_overdraft: true,
      reference: `deposit-${run}`,
      description: "Deposit to wallet",
      meta_data: { transaction_type: "deposit" },
    }),
  );
  show("the answer", repeated.status, 409);
  show("with the code", repeated.error?.code, "TXN_DUPLICATE_REFERENCE");
  const first = dataOf(await Transactions.getByReference(`deposit-${run}`));
  show("the reference still names the first one", first.transaction_id === depositId, true);
  show("main wallet, as before", await balanceOf(main), 649_25n);
  show("card wallet, as before", await balanceOf(card), 200_50n);
}

/** Lists that the official client has no method for; plain HTTP does. */
async function readLists({ customer, main }: Wallets): Promise<void> {
  const references = (rows: unknown): string[] =>
    Array.isArray(rows) ? rows.map(({ reference, status }) => `${reference} ${status}`) : [];

  say("The main wallet's history, newest first");
  const history = await getJson(`/transactions?balance_id_eq=${main}`);
  const expected = [
    `too-much-${run} REJECTED`,
    `transfer-${run} APPLIED`,
    `withdrawal-${run} APPLIED`,
    `deposit-${run} APPLIED`,
  ];
  for (const [index, line] of expected.entries()) {
    show(`${index + 1}.`, references(history)[index], line);
  }
  show("and no more", references(history).length, expected.length);
  const deposits = await getJson(
    `/transactions?balance_id_eq=${main}&meta_data.transaction_type_eq=deposit`,
  );
  show("deposits alone", references(deposits), [`deposit-${run} APPLIED`]);

  say("The customer's wallets");
  const wallets = await getJson(`/balances?identity_id_eq=${customer}`);
  show("how many", Array.isArray(wallets) && wallets.length, 2);
}

await tell(async () => {
  const worldBefore = await worldBalance();
  const wallets = await openWallets();
  const depositId = await moveMoney(wallets);
  await beRefused(wallets, depositId);
  await readLists(wallets);

  say("The books");
  const main = await balanceOf(wallets.main);
  const card = await balanceOf(wallets.card);
  const world = (await worldBalance()) - worldBefore;
  console.log(`  main ${dollars(main)}, card ${dollars(card)}, outside ${dollars(world)}`);
  show("the whole ledger sums to", main + card + world, 0n);
});
