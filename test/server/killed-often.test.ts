import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { Random } from "../simulation/random.ts";
import { startServer, type TestServer } from "../support/server.ts";
import {
  atRest,
  checkBalances,
  checkCopies,
  checkFollowed,
  checkIntegrity,
  checkRecords,
  Reader,
} from "./killing/books.ts";
import { Client, Ledger } from "./killing/client.ts";
import { makePurses, voidOpenHolds } from "./killing/purses.ts";
import { Stories } from "./killing/story.ts";
import { askAt, type Shown } from "./killing/wire.ts";

const KILLS = 20;
const CLIENTS = 16;
const CURRENCIES = ["USD", "EUR"];
/** Some kills come this soon after the server is up, while it recovers, in milliseconds. */
const RECOVERING_MS = 700;
/** The others come this soon after it has given an answer. */
const ANSWERING_MS = 1_500;
/** Each start takes seconds, and more of them where other things run. */
const PATIENCE_MS = 400_000;

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
});

afterAll(() => server.close());

/** When a server is killed: so long after it is up, or after its first answer. */
interface Moment {
  readonly afterAnswer: boolean;
  readonly ms: number;
}

const momentsOf = (random: Random): Moment[] =>
  Array.from({ length: KILLS }, () => {
    const afterAnswer = random.chance(75);
    return { afterAnswer, ms: random.below(afterAnswer ? ANSWERING_MS : RECOVERING_MS) };
  });

async function momentComes({ afterAnswer, ms }: Moment, { counts }: Ledger): Promise<void> {
  const before = counts.answered;
  const answered = () => expect(counts.answered).toBeGreaterThan(before);
  if (afterAnswer) await vi.waitFor(answered, { timeout: 30_000, interval: 5 });
  await new Promise((later) => setTimeout(later, ms));
}

it("loses, doubles and holds nothing when it is killed twenty times under load", {
  timeout: PATIENCE_MS,
}, async () => {
  const seed = Number(process.env.KILL_SEED ?? Date.now() % 1_000_000);
  const moments = momentsOf(new Random(seed));
  const words = moments.map(({ afterAnswer, ms }) => `${afterAnswer ? "answer" : "start"}+${ms}`);
  console.log(`KILL_SEED=${seed}, killed at (ms): ${words.join(" ")}`);
  const ask = askAt(server.baseUrl, server.masterKey);
  const reader = new Reader(ask);
  const ledger = new Ledger();
  const purses = await makePurses(reader, ledger, CURRENCIES);
  const clients = Array.from({ length: CLIENTS }, (_none, index) => {
    const stories = new Stories(new Random(seed * CLIENTS + index), purses, `client${index}`);
    return new Client(ask, stories, ledger);
  });

  for (const moment of moments) {
    let isKilled = false;
    const load = Promise.all(clients.map((client) => client.run(() => isKilled)));
    await Promise.race([load, momentComes(moment, ledger)]);
    isKilled = true;
    await server.crash();
    await load;
    await server.restart();
  }
  await Promise.all(clients.map((client) => client.finish()));
  await voidOpenHolds(ask, ledger);

  await atRest(reader, ledger);
  const rows = await reader.all<Shown>("/transactions");
  checkRecords(rows, ledger);
  checkFollowed(rows, ledger);
  await checkBalances(reader, rows, purses);
  await checkCopies(reader, rows, ledger.unanswered);
  await checkIntegrity(reader);
  console.log({ kills: KILLS, clients: CLIENTS, ...ledger.summary(rows) });
});
