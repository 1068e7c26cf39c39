import type { LoadReport } from "./protocol.ts";
import { type Counters, countersOf } from "./rows.ts";

const currency = "USD";
const fundingIndicator = "@BenchFunding";
/** Enough that no transfer is refused: the bench measures transfers, not refusals. */
const fundedMajor = 1_000_000_000;
const pollEveryMs = 50;
/** How many balances are looked at at once. */
const readAtOnce = 10;
const settleTimeoutMs = 120_000;

interface Sums {
  debit: bigint;
  credit: bigint;
}

/** Funded balances behind one server, and what should be in them by what the load process was told. */
export class Wallets {
  readonly ids: readonly string[];
  readonly #api: Api;
  readonly #expected = new Map<string, Sums>();

  private constructor(api: Api, ids: readonly string[]) {
    this.#api = api;
    this.ids = ids;
  }

  /** Makes a ledger and `count` balances, and funds each from the outside world. */
  static async create(
    port: number,
    headers: Record<string, string>,
    count: number,
  ): Promise<Wallets> {
    const api = new Api(port, headers);
    const ledger = await api.post("/ledgers", { name: "Bench" });
    const ids: string[] = [];
    for (let made = 0; made < count; made++) {
      const balance = await api.post("/balances", { ledger_id: ledger("ledger_id"), currency });
      ids.push(balance("balance_id"));
    }
    const wallets = new Wallets(api, ids);
    for (const [index, id] of ids.entries()) await wallets.#fund(id, index);
    return wallets;
  }

  /** Notes what accepted transfers must have done. */
  expect(report: LoadReport): void {
    for (const [id, amount] of Object.entries(report.debits))
      this.#sums(id).debit += BigInt(amount);
    for (const [id, amount] of Object.entries(report.credits))
      this.#sums(id).credit += BigInt(amount);
  }

  /** Waits until every accepted transfer is in both its balances. Throws if that takes over two minutes. */
  async settled(): Promise<void> {
    const deadline = Date.now() + settleTimeoutMs;
    // One tells about when: who asks for all of them the whole time takes the server's time.
    if (this.ids[0] !== undefined) await this.#settled(this.ids[0], deadline);
    await this.#ofEach((id) => this.#settled(id, deadline));
  }

  /** The same, and answers when the last of them came there, in milliseconds since 1970. */
  async appliedAt(): Promise<number> {
    await this.settled();
    return Math.max(...(await this.#ofEach((id) => this.#newestEntryMs(id))));
  }

  async #settled(id: string, deadline: number): Promise<void> {
    while (!(await this.#isAsExpected(id))) {
      if (Date.now() > deadline) throw new Error(`transfers of ${id} are still not applied`);
      await new Promise((later) => setTimeout(later, pollEveryMs));
    }
  }

  /** When the newest entry of a balance was written, as its proof has it. */
  async #newestEntryMs(id: string): Promise<number> {
    const version = (await this.#api.get(`/balances/${id}`))("version");
    const proof = await this.#api.get(`/balances/${id}/proof?after=${version}`);
    return Date.parse(proof("at"));
  }

  /** Asks for every balance, some at a time. */
  async #ofEach<T>(ask: (id: string) => Promise<T>): Promise<T[]> {
    const answers: T[] = [];
    for (let at = 0; at < this.ids.length; at += readAtOnce) {
      const ids = this.ids.slice(at, at + readAtOnce);
      answers.push(...(await Promise.all(ids.map(ask))));
    }
    return answers;
  }

  /** Waits until the records know all that was answered: a list is read after a barrier. */
  async recorded(): Promise<void> {
    await this.#api.get("/transactions?limit=1");
  }

  /** Whether each balance holds exactly what accepted transfers left in it, and all of them with the funding sum to zero. */
  async conserved(): Promise<boolean> {
    const funding = await this.#api.get(
      `/balances/indicator/${encodeURIComponent(fundingIndicator)}/currency/${currency}`,
    );
    let sum = BigInt(funding("balance"));
    let asExpected = true;
    for (const id of this.ids) {
      const { debit, credit } = this.#sums(id);
      const balance = await this.#api.get(`/balances/${id}`);
      sum += BigInt(balance("balance"));
      asExpected &&= BigInt(balance("balance")) === credit - debit;
    }
    return asExpected && sum === 0n;
  }

  /** The figures of a counting Worker, since it began. */
  async counters(): Promise<Counters> {
    const figures = await this.#api.get("/bench/rows");
    return countersOf((name) => Number(figures(name)));
  }

  async #fund(id: string, index: number): Promise<void> {
    await this.#api.post("/transactions", {
      amount: fundedMajor,
      precision: 100,
      currency,
      reference: `bench-funding-${index}`,
      description: "Funds for the bench",
      source: fundingIndicator,
      destination: id,
      allow_overdraft: true,
      skip_queue: true,
    });
    this.#sums(id).credit += BigInt(fundedMajor) * 100n;
  }

  async #isAsExpected(id: string): Promise<boolean> {
    const { debit, credit } = this.#sums(id);
    const balance = await this.#api.get(`/balances/${id}`);
    return (
      BigInt(balance("debit_balance")) === debit && BigInt(balance("credit_balance")) === credit
    );
  }

  #sums(id: string): Sums {
    const known = this.#expected.get(id);
    if (known !== undefined) return known;
    const sums = { debit: 0n, credit: 0n };
    this.#expected.set(id, sums);
    return sums;
  }
}

/** A top-level field of an answer as its text, so that amounts of any length stay exact. */
type Fields = (name: string) => string;

class Api {
  readonly #base: string;
  readonly #headers: Record<string, string>;

  constructor(port: number, headers: Record<string, string>) {
    this.#base = `http://127.0.0.1:${port}`;
    this.#headers = { ...headers, "content-type": "application/json" };
  }

  get(path: string): Promise<Fields> {
    return this.#ask(path, {});
  }

  post(path: string, body: object): Promise<Fields> {
    return this.#ask(path, { method: "POST", body: JSON.stringify(body) });
  }

  async #ask(path: string, init: RequestInit): Promise<Fields> {
    const response = await fetch(this.#base + path, { ...init, headers: this.#headers });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`);
    return (name) => {
      const value = new RegExp(`"${name}":\\s*(?:"([^"]*)"|(-?\\d+))`).exec(text);
      const found = value?.[1] ?? value?.[2];
      if (found === undefined) throw new Error(`${path} answered no ${name}: ${text}`);
      return found;
    };
  }
}
