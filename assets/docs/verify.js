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

const amountsOf = (from) => Object.fromEntries(AMOUNTS.map((name) => [name, BigInt(from[name])]));
const NOTHING = Object.fromEntries(AMOUNTS.map((name) => [name, 0n]));

/** The amounts that a change leads to. */
function amountsAfter(before, { side, action, amount }) {
  const [settled, held] =
    side === "source"
      ? ["debit_balance", "inflight_debit_balance"]
      : ["credit_balance", "inflight_credit_balance"];
  const after = { ...before };
  const change = BigInt(amount);
  if (action === "apply" || action === "commit") after[settled] += change;
  if (action === "hold") after[held] += change;
  if (action === "commit" || action === "void") after[held] -= change;
  return after;
}

const isSame = (a, b) => AMOUNTS.every((name) => a[name] === b[name]);

/**
 * Checks a page of a balance's entries. `previous` is the `end` of the page before it; without it the page must begin with the
 * first entry. `known` is an entry's { version, hash } that was kept from earlier: if it is on the page it must be there still.
 * Answers { valid, problems, end }, where problems are sentences.
 */
export async function verifyBalance(proof, { previous, known } = {}) {
  const problems = [];
  let end = previous ?? { version: FIRST_VERSION, hash: GENESIS_HASH, amounts: NOTHING };
  try {
    if (proof.after !== end.version) {
      problems.push(`the page begins after version ${proof.after}, and not after ${end.version}`);
    }
    const before = proof.before;
    const isContinued = before === null ? end.hash === GENESIS_HASH : before.hash === end.hash;
    if (!isContinued || (before !== null && before.version !== end.version)) {
      problems.push("the page does not follow the one before it");
    }
    for (const entry of proof.entries) {
      if (entry.version !== end.version + 1) {
        problems.push(`version ${entry.version} follows ${end.version}`);
      }
      if ((await entryHash(end.hash, entry)) !== entry.hash) {
        problems.push(`the hash of version ${entry.version} is not that of its content`);
      }
      const amounts = amountsOf(entry);
      if (!isSame(amounts, amountsAfter(end.amounts, entry))) {
        problems.push(
          `the amounts of version ${entry.version} are not those before it and its change`,
        );
      }
      end = { version: entry.version, hash: entry.hash, amounts };
      if (known?.version === end.version && known.hash !== end.hash) {
        problems.push(`version ${end.version} is not the one that was known`);
      }
    }
    if (proof.next_after === null) {
      if (proof.newest.version !== end.version || proof.newest.hash !== end.hash) {
        problems.push("the entries do not lead to the newest one");
      }
      if (proof.version !== end.version || !isSame(amountsOf(proof), end.amounts)) {
        problems.push("the entries do not lead to the amounts of the balance");
      }
      if (known !== undefined && known.version > end.version) {
        problems.push(`version ${known.version}, which was known, is gone`);
      }
    } else if (proof.next_after !== end.version || proof.newest.version <= end.version) {
      problems.push("the next page does not begin where this one ends");
    }
  } catch (error) {
    problems.push(`the proof cannot be read: ${error}`);
  }
  return { valid: problems.length === 0, problems, end };
}

/**
 * Checks that a transaction is what it was recorded as, and that both balances took it as it says. `known` has, by balance id, an
 * entry's { version, hash } that was kept from earlier, such as the end of a checked balance. Answers { valid, problems }.
 */
export async function verifyTransaction(proof, { known = {} } = {}) {
  const problems = [];
  try {
    const { recorded, entries } = proof;
    const seal = await hashOf(RECORDED.map((name) => recorded[name]));
    if (seal !== proof.seal) problems.push("the seal is not that of what was recorded");
    if (recorded.transaction_id !== proof.transaction_id) problems.push("another one was recorded");
    if ((recorded.parent_transaction || null) !== proof.parent) {
      problems.push("it was recorded under another parent");
    }
    const sides = hasMoved(proof) ? ["source", "destination"] : [];
    if (entries.length !== sides.length) {
      problems.push(`${entries.length} balances have an entry of it, and not ${sides.length}`);
    }
    if (sides.length > 0 && proof.status !== statusOf(recorded)) {
      problems.push(`it cannot be ${proof.status}`);
    }
    for (const [index, side] of sides.entries()) {
      const place = entries[index];
      if (place === undefined) continue;
      const wrong = await wrongWith(place, { proof, side, seal, known: known[place.balance_id] });
      problems.push(...wrong.map((what) => `the entry of its ${side} ${what}`));
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

async function wrongWith(
  { balance_id, before, entry, next, newest },
  { proof, side, seal, known },
) {
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
    const isNewest = newest.version === entry.version && newest.hash === entry.hash;
    rules.push([isNewest, "is not the newest, and none follows it"]);
  } else {
    const follows = next.version === entry.version + 1;
    rules.push([
      follows && (await entryHash(entry.hash, next)) === next.hash,
      "is followed by none",
    ]);
    rules.push([
      newest.version > next.version
        ? true
        : newest.version === next.version && newest.hash === next.hash,
      "does not lead to the newest one",
    ]);
  }
  const theirs = [entry, next, newest].find(
    (each) => each !== null && each.version === known?.version,
  );
  rules.push([
    theirs === undefined || theirs.hash === known.hash,
    "is not in the chain that was known",
  ]);
  return rules.filter(([holds]) => !holds).map(([, what]) => what);
}
