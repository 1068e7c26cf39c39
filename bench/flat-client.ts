import { Connection } from "./connection.ts";
import type { Host } from "./host.ts";
import { get, post } from "./request.ts";

/** One client of one ledger: one request at a time. */
export class Client {
  readonly #connection: Connection;
  readonly #base: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #run = Date.now().toString(36);
  #sent = 0;
  /** A place in the middle of the past, and the minute around it as a condition. */
  middle = "";
  minute: object = {};

  constructor({ port }: Host, headers: Readonly<Record<string, string>>) {
    this.#connection = new Connection(port);
    this.#base = `http://127.0.0.1:${port}`;
    this.#headers = headers;
  }

  /** Sends a request `count` times, made anew each time; answers how long each took, in milliseconds. */
  async time(ask: (client: Client) => string, count: number): Promise<number[]> {
    const times: number[] = [];
    for (let at = 0; at < count; at += 1) {
      const request = ask(this);
      const sent = performance.now();
      const { status } = await this.#connection.ask(request);
      times.push(performance.now() - sent);
      if (!status.startsWith("2")) throw new Error(`${status} to ${request}`);
    }
    return times;
  }

  async ask(request: string, status: string): Promise<void> {
    const answer = await this.#connection.ask(request);
    if (answer.status !== status) throw new Error(`${answer.status} to ${request}`);
  }

  close(): void {
    this.#connection.close();
  }

  /** A reference that nobody has used. */
  fresh(): string {
    this.#sent += 1;
    return `flat-${this.#run}-${this.#sent}`;
  }

  /** One after the other. */
  next(ids: readonly string[]): string {
    return ids[this.#sent % ids.length] ?? "";
  }

  read(balanceId: string): string {
    return get(`/balances/${balanceId}`, this.#headers);
  }

  list(query: string): string {
    return get(`/transactions${query}`, this.#headers);
  }

  filter(filters: readonly object[]): string {
    return post("/transactions/filter", JSON.stringify({ filters, limit: 20 }), this.#headers);
  }

  /** An amount in major units makes it a queued one that is rejected. */
  transfer(
    source: string,
    destination: string,
    reference: string,
    how?: { amount: number },
  ): string {
    const body = {
      reference,
      source,
      destination,
      amount: how?.amount ?? 1,
      precision: 100,
      currency: "USD",
      description: "Transfer between wallets",
      meta_data: { transaction_type: "transfer", channel: "bench" },
      skip_queue: how === undefined,
    };
    return post("/transactions", JSON.stringify(body), this.#headers);
  }

  /** Waits until the records show a transaction as rejected. */
  async rejected(reference: string): Promise<void> {
    for (let tries = 0; tries < 100; tries += 1) {
      const { text } = await this.#fetch(`/transactions?reference_eq=${reference}`);
      if (text.includes(`"REJECTED"`)) return;
      await new Promise((later) => setTimeout(later, 50));
    }
    throw new Error(`${reference} is not rejected`);
  }

  /** Whether the past is one that the server could have had: everything is walked over, and nothing found. */
  async expectSound(): Promise<void> {
    for (let cursor: string | null = ""; cursor !== null; ) {
      const from: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const { text } = await this.#fetch(`/integrity?limit=200${from}`);
      const step: { findings: readonly object[]; next_cursor: string | null } = JSON.parse(text);
      if (step.findings.length > 0) throw new Error(`it is no sound past: ${text}`);
      cursor = step.next_cursor;
    }
  }

  /** Whether the records hold a past of so many transactions; finds its middle on the way. */
  async expectTotal(size: number): Promise<void> {
    const { headers } = await this.#fetch("/transactions?limit=1&include_count=true");
    const total = Number(headers.get("x-total-count"));
    if (total < size) throw new Error(`${total} transactions are recorded, not ${size}`);
    const reference = `past-${Math.floor(size / 2)}`;
    const { text } = await this.#fetch(`/transactions/reference/${reference}`);
    const { created_at: at, transaction_id: id }: { created_at: string; transaction_id: string } =
      JSON.parse(text);
    const ms = Date.parse(at);
    this.middle = Buffer.from(`${new Date(ms).toISOString().replace("Z", "000Z")} ${id}`).toString(
      "base64url",
    );
    const values = [ms - 30_000, ms + 30_000].map((each) => new Date(each).toISOString());
    this.minute = { field: "created_at", operator: "between", values };
  }

  async #fetch(path: string): Promise<{ text: string; headers: Headers }> {
    const response = await fetch(this.#base + path, { headers: this.#headers });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`);
    return { text, headers: response.headers };
  }
}
