// Checks what GET /balances/{id}/proof and GET /transactions/{id}/proof answer. It needs nothing but WebCrypto, so it runs in a
// browser, in Node, in Deno, and from a copy that you keep: trust that copy, not the server that is to be checked.

/** The version of a balance that nothing has happened to, and the hash that stands before its first entry. */
const FIRST_VERSION = 1;
const GENESIS_HASH = "0".repeat(64);

const RECORDED = [
  "transaction_id",
  "kind",
  "parent_transaction",
  "group",
  "reference",
  "currency",
  "description",
  "source",
  "source_indicator",
  "destination",
  "destination_indicator",
  "precise_amount",
  "precision",
  "amount",
  "amount_string",
  "overdraft",
  "allow_overdraft",
  "overdraft_limit",
  "inflight",
  "skip_queue",
  "atomic",
  "scheduled_for",
  "inflight_expiry_date",
  "inflight_commit_date",
  "effective_date",
  "posted_effective_date",
  "hash",
  "meta_data",
];

const ENTRY = [
  "version",
  "operation",
  "transaction_id",
  "side",
  "action",
  "amount",
  "credit_balance",
  "debit_balance",
  "inflight_credit_balance",
  "inflight_debit_balance",
  "effective_date",
  "at",
];

const AMOUNTS = [
  "credit_balance",
  "debit_balance",
  "inflight_credit_balance",
  "inflight_debit_balance",
];

const SIDES = ["source", "destination"];
const ACTIONS = ["apply", "hold", "commit", "void"];

/** SHA-256 of a list's JSON, in hexadecimal. */
async function hashOf(list) {
  const bytes = new TextEncoder().encode(JSON.stringify(list));
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The hash that an entry has after the one before it. Entries older than seals have none to add. */
function entryHash(before, entry) {
  const content = ENTRY.map((name) => entry[name]);
  return hashOf([before, ...content, ...(entry.seal === "" ? [] : [entry.seal])]);
}

/** Minor units in digits. None is ever below zero, what is held neither: what a balance owes is its debits less its credits. */
function unitsOf(text) {
  if (!/^\d+$/.test(text)) throw new Error(`${text} is no amount`);
  return BigInt(text);
}

const amountsOf = (from) => Object.fromEntries(AMOUNTS.map((name) => [name, unitsOf(from[name])]));
const NOTHING = Object.fromEntries(AMOUNTS.map((name) => [name, 0n]));

/** The amounts that a change leads to. */
function amountsAfter(before, { side, action, amount }) {
  const [settled, held] =
    side === "source"
      ? ["debit_balance", "inflight_debit_balance"]
      : ["credit_balance", "inflight_credit_balance"];
  const after = { ...before };
  const change = unitsOf(amount);
  if (action === "apply" || action === "commit") after[settled] += change;
  if (action === "hold") after[held] += change;
  if (action === "commit" || action === "void") after[held] -= change;
  return after;
}

const isSame = (a, b) => AMOUNTS.every((name) => a[name] === b[name]);
const isLink = (a, b) => a.version === b.version && a.hash === b.hash;

/** What is said of the rules that do not hold. */
const brokenOf = (rules) => rules.filter(([holds]) => !holds).map(([, what]) => what);

/**
 * Checks a page of a balance's entries. `previous` is the `end` of the page before it, of the same balance; without it the page must
 * begin with the first entry. `known` is an entry's { version, hash } that was kept from earlier: if it is on the page it must be
 * there still. Answers { valid, problems, end }, where problems are sentences.
 *
 * Nothing on the page shows whose entries they are: compare its `balance_id` with what was asked for. The transactions show it, each
 * of which was recorded with the ids of its balances: give this page to `verifyTransaction` with each that it names.
 */
export async function verifyBalance(proof, { previous, known } = {}) {
  const problems = [];
  let end = previous ?? { version: FIRST_VERSION, hash: GENESIS_HASH, amounts: NOTHING };
  try {
    const { balance_id, currency, before } = proof;
    const rules = [
      [
        previous === undefined ||
          (previous.balance_id === balance_id && previous.currency === currency),
        "the page is of another balance than the one before it",
      ],
      [
        proof.after === end.version,
        `the page begins after version ${proof.after}, and not after ${end.version}`,
      ],
      [
        before === null ? end.hash === GENESIS_HASH : isLink(before, end),
        "the page does not follow the one before it",
      ],
    ];
    problems.push(...brokenOf(rules));
    end = { ...end, balance_id, currency };
    for (const entry of proof.entries) {
      problems.push(...(await wrongWithEntry(entry, end)));
      const { version, hash } = entry;
      end = { balance_id, currency, version, hash, amounts: amountsOf(entry) };
      if (known?.version === version && known.hash !== hash) {
        problems.push(`version ${version} is not the one that was known`);
      }
    }
    problems.push(...wrongWithEnd(proof, { end, known }));
  } catch (error) {
    problems.push(`the proof cannot be read: ${error}`);
  }
  return { valid: problems.length === 0, problems, end };
}

/** What is wrong with an entry after the one before it. */
async function wrongWithEntry(entry, before) {
  const { version, side, action, hash } = entry;
  return brokenOf([
    [version === before.version + 1, `version ${version} follows ${before.version}`],
    [
      (await entryHash(before.hash, entry)) === hash,
      `the hash of version ${version} is not that of its content`,
    ],
    [
      SIDES.includes(side) && ACTIONS.includes(action),
      `version ${version} does what no transaction does`,
    ],
    [
      isSame(amountsOf(entry), amountsAfter(before.amounts, entry)),
      `the amounts of version ${version} are not those before it and its change`,
    ],
  ]);
}

/** What is wrong with where a page ends: at the balance as it is, or where the next page begins. */
function wrongWithEnd(proof, { end, known }) {
  const { newest, next_after, entries } = proof;
  if (next_after !== null) {
    const goesOn = entries.length > 0 && next_after === end.version && newest.version > end.version;
    return goesOn ? [] : ["the next page does not begin where this one ends"];
  }
  return brokenOf([
    [isLink(newest, end), "the entries do not lead to the newest one"],
    [
      proof.version === end.version && isSame(amountsOf(proof), end.amounts),
      "the entries do not lead to the amounts of the balance",
    ],
    [
      known === undefined || known.version <= end.version,
      `version ${known?.version}, which was known, is gone`,
    ],
  ]);
}

/**
 * Checks that a transaction is what it was recorded as, and that both balances took it as it says. Answers { valid, problems }.
 *
 * By itself that shows only that the proof agrees with itself: who makes all of it anew makes the hashes anew too. What it says is
 * held against what was checked or kept:
 *
 * `page` is a page of a balance that `verifyBalance` found valid. The entries of that balance that the proof shows, and those on the
 * page that name this transaction, must be the same, whatever state the proof says the transaction is in. So give the page that names
 * it. Of the other balance that shows nothing: take a page of that one too.
 *
 * `known` has, by balance id, a { version, hash } kept from earlier, of the entry itself or of the one after it, because those two
 * hashes cover the entry. Each one that is given must be met, so give none for another place in the chain: of what lies between, the
 * proof shows nothing, and `page` is what does.
 */
export async function verifyTransaction(proof, { page, known = {} } = {}) {
  const problems = [];
  try {
    const { recorded, entries } = proof;
    const seal = await hashOf(RECORDED.map((name) => recorded[name]));
    if (seal !== proof.seal) problems.push("the seal is not that of what was recorded");
    if (recorded.transaction_id !== proof.transaction_id) problems.push("another one was recorded");
    if ((recorded.parent_transaction || null) !== proof.parent) {
      problems.push("it was recorded under another parent");
    }
    const sides = hasMoved(proof) ? SIDES : [];
    if (entries.length !== sides.length) {
      problems.push(`${entries.length} balances have an entry of it, and not ${sides.length}`);
    }
    if (sides.length > 0 && proof.status !== statusOf(recorded)) {
      problems.push(`it cannot be ${proof.status}`);
    }
    for (const [index, side] of sides.entries()) {
      const place = entries[index];
      if (place === undefined) continue;
      const wrong = await wrongWith(place, { proof, side, seal });
      problems.push(...wrong.map((what) => `the entry of its ${side} ${what}`));
    }
    if (page !== undefined) problems.push(...wrongBeside(page, proof));
    for (const [id, link] of Object.entries(known)) {
      if (entries.some((place) => place.balance_id === id && isCoveredBy(place, link))) continue;
      problems.push(`version ${link.version} of ${id}, which was known, does not follow from it`);
    }
  } catch (error) {
    problems.push(`the proof cannot be read: ${error}`);
  }
  return { valid: problems.length === 0, problems };
}

/** A split moves by its legs, and what waits or was rejected has not moved. */
const hasMoved = ({ recorded, status }) =>
  recorded.kind !== "split" && ["APPLIED", "INFLIGHT", "VOID"].includes(status);

function actionOf({ kind, inflight }) {
  if (kind === "commit" || kind === "void") return kind;
  return inflight ? "hold" : "apply";
}

const statusOf = (recorded) =>
  ({ apply: "APPLIED", commit: "APPLIED", hold: "INFLIGHT", void: "VOID" })[actionOf(recorded)];

/** What is wrong with the entry of a side, and with how it stands among its neighbours. */
async function wrongWith({ balance_id, before, entry, next, newest }, { proof, side, seal }) {
  const { recorded } = proof;
  const [id, , of] = entry.operation.split(".");
  const rules = [
    [balance_id === recorded[side], "is in another balance"],
    [entry.transaction_id === proof.transaction_id, "is that of another transaction"],
    [id === proof.transaction_id && of === side, "was made by another operation"],
    [entry.side === side, "is on another side"],
    [entry.action === actionOf(recorded), "does something else"],
    [entry.amount === recorded.precise_amount, "is of another amount"],
    [entry.seal === seal || entry.seal === "", "has another seal"],
    [
      recorded.effective_date === null || entry.effective_date === recorded.effective_date,
      "has another date",
    ],
    [(await entryHash(before, entry)) === entry.hash, "is not what its hash was made of"],
  ];
  if (next === null) {
    rules.push([isLink(newest, entry), "is not the newest, and none follows it"]);
  } else {
    const follows = next.version === entry.version + 1;
    rules.push([
      follows && (await entryHash(entry.hash, next)) === next.hash,
      "is followed by none",
    ]);
    // What lies between the next and the newest is not in the proof, so a later newest one is taken as it is.
    rules.push([
      newest.version > next.version || isLink(newest, next),
      "does not lead to the newest one",
    ]);
  }
  return brokenOf(rules);
}

/** Where a proof and a checked page of a balance do not tell the same. */
function wrongBeside(page, { transaction_id, recorded, entries }) {
  const shown = entries.filter(({ balance_id }) => balance_id === page.balance_id);
  const onPage = page.entries.filter((entry) => entry.transaction_id === transaction_id);
  const hashes = new Map(page.entries.map(({ version, hash }) => [version, hash]));
  const isAsOnPage = ({ version, hash }) => !hashes.has(version) || hashes.get(version) === hash;
  return brokenOf([
    [
      onPage.every((own) => shown.some(({ entry }) => isLink(entry, own))),
      `the proof does not show the entry that ${page.balance_id} has of it`,
    ],
    [
      shown.every(({ entry }) => onPage.some((own) => isLink(own, entry))),
      `its entry in ${page.balance_id} is not on the page`,
    ],
    [
      shown.every(({ next, newest }) => [next ?? newest, newest].every(isAsOnPage)),
      `what follows its entry in ${page.balance_id} is not what the page has`,
    ],
    [
      shown.length === 0 || recorded.currency === page.currency,
      `${page.balance_id} is in ${page.currency}, and it is not`,
    ],
  ]);
}

/** Whether a hash that was known covers the entry: it is that of the entry, or of the one that was made on it. */
const isCoveredBy = ({ entry, next }, known) =>
  isLink(entry, known) || (next !== null && isLink(next, known));
