import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { ask, startServer, type TestServer } from "../support/server.ts";

/** A receiver on this machine, and the references of the transactions that it was told of. */
interface Receiver {
  readonly url: string;
  readonly told: string[];
  /** Deliveries whose sender has gone before they were answered. */
  readonly givenUp: string[];
  close(): void;
}

const receivers: Receiver[] = [];
let server: TestServer;

beforeAll(async () => {
  receivers.push(await receiver("answers"), await receiver("hangs"));
  server = await startServer({ webhookUrls: receivers.map(({ url }) => url).join(",") });
});

afterAll(async () => {
  await server.close();
  for (const each of receivers) each.close();
});

async function receiver(how: "answers" | "hangs"): Promise<Receiver> {
  const told: string[] = [];
  const givenUp: string[] = [];
  const listener: Server = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    const { data } = JSON.parse(body);
    if (data.reference === undefined) {
      response.writeHead(204).end();
      return;
    }
    told.push(data.reference);
    if (how === "answers") response.writeHead(204).end();
    else response.once("close", () => givenUp.push(data.reference));
  });
  await new Promise<void>((listening) => listener.listen(0, "127.0.0.1", listening));
  const { port } = listener.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/${how}`,
    told,
    givenUp,
    close: () => {
      listener.closeAllConnections();
      listener.close();
    },
  };
}

it("brings all events to one receiver while another does not answer its first", async () => {
  const [healthy, hanging] = receivers;
  const references: string[] = [];
  for (let round = 0; round < 4; round += 1) {
    const news = Array.from({ length: 10 }, (_none, index) => `transfer-${round}-${index}`);
    const answers = await Promise.all(
      news.map((reference) =>
        ask(server, "/transactions", {
          body: {
            precise_amount: 100,
            precision: 100,
            currency: "USD",
            reference,
            description: "for two receivers",
            source: "@World",
            destination: `@Receiver-${reference}`,
            allow_overdraft: true,
            skip_queue: true,
          },
        }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(news.map(() => 201));
    references.push(...news);
    // The hanging one holds what it can of this round before the next begins.
    await vi.waitFor(() => expect(hanging?.told.length).toBeGreaterThan(0), { timeout: 20_000 });
  }

  const toldAll = () => expect(new Set(healthy?.told)).toEqual(new Set(references));
  await vi.waitFor(toldAll, { timeout: 25_000 });

  expect(hanging?.told.length).toBeGreaterThan(0);
  expect(hanging?.givenUp).toEqual([]);
});
