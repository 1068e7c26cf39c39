import { env, exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { asWanted, isLater } from "./differences";
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

describe("what the real Blnk answered, Purser answers", () => {
  it.concurrent.each(Object.values(transcripts).map(readScenario))(
    "$name: $about",
    async ({ name, steps }) => {
      const values = firstValues(server.key);
      for (const [index, step] of steps.entries()) {
        // A pause gave Blnk's queue time; what has to come true here is waited for.
        if (isLater(step) || (step.request === undefined && step.hook === undefined)) continue;
        const found = await playStep(asWanted(name, step, index + 1), server, values);
        expect(found, `step ${index + 1} (${step.name})`).toEqual([]);
      }
    },
  );
});
