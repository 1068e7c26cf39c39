import { env, exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { isLater } from "./later";
import { firstValues, playStep, type Server } from "./runner";
import { readScenario } from "./scenario";

const transcripts = import.meta.glob("./transcripts/*.json", {
  query: "?raw",
  import: "default",
  eager: true,
});

const server: Server = {
  key: env.PURSER_MASTER_KEY ?? "",
  send: (request) => exports.default.fetch(request),
};

/**
 * Every answer is wanted as it was recorded: where Purser differs on purpose (docs/compatibility.md), the transcripts leave
 * the place loose, and test/scenarios/on-purpose.test.ts shows what is answered instead.
 */
const scenarios = Object.values(transcripts).map(readScenario);

describe("what the real Blnk answered, Purser answers", () => {
  it.concurrent.each(scenarios.map(({ name, steps }) => [name, steps] as const))(
    "%s",
    async (_name, steps) => {
      const values = firstValues(server.key);
      for (const [index, step] of steps.entries()) {
        // A pause gave Blnk's queue time; what has to come true here is waited for.
        if (isLater(step) || (step.request === undefined && step.hook === undefined)) continue;
        const found = await playStep(step, server, values);
        if (found.length > 0) {
          throw new Error(`step ${index + 1} (${step.name}) differs\n${found.join("\n")}`);
        }
      }
    },
  );
});

it("what is left out is really not there yet", async () => {
  const requests = scenarios
    .flatMap(({ steps }) => steps.filter(isLater))
    .flatMap(({ request }) => request ?? []);
  const asked = new Map(
    requests.map(({ method, path }) => [`${method} ${path}`, { method, path }]),
  );

  for (const [name, { method, path }] of asked) {
    const headers = { "X-Blnk-Key": server.key };
    const answer = await server.send(new Request(`http://localhost${path}`, { method, headers }));
    expect([name, await answer.text()]).toEqual([name, "404 page not found"]);
  }
});
