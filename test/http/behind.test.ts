import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { call, codeOf, get, listOf, post, textOf } from "../support/api";
import { clearFaults, setFaults, WELL } from "../support/faults";

const INSTANCE = "default";

/** A wallet whose balance D1 has not been told of, because nothing gets there. */
async function walletUnknownToD1(): Promise<{ ledger: string; owner: string }> {
  const ledger = textOf(await post("/ledgers", { name: "x" }), "ledger_id");
  const owner = textOf(await post("/identities", {}), "identity_id");
  const made = await post("/balances", { ledger_id: ledger, currency: "USD", identity_id: owner });
  expect(made.status).toBe(201);
  return { ledger, owner };
}

describe("while D1 cannot be written", () => {
  beforeEach(() =>
    setFaults(INSTANCE, {
      call: ({ method }) => (method === "d1.batch" ? { kind: "lost" } : WELL),
    }),
  );
  afterEach(() => clearFaults(INSTANCE));

  it("a list answers with what it has and says that it may be behind; later it shows all", async () => {
    const { ledger } = await walletUnknownToD1();
    const list = `/balances?ledger_id_eq=${ledger}`;
    const behind = await get(list);
    expect([behind.status, behind.headers.get("X-Purser-Behind")]).toEqual([200, "true"]);
    const filter = { filters: [{ field: "ledger_id", operator: "eq", value: ledger }] };
    expect((await post("/balances/filter", filter)).headers.get("X-Purser-Behind")).toBe("true");
    const eventual = await get(`${list}&consistency=eventual`);
    expect(eventual.headers.get("X-Purser-Behind")).toBeNull();

    clearFaults(INSTANCE);
    await expect
      .poll(async () => (await get(list)).headers.get("X-Purser-Behind"), { timeout: 30_000 })
      .toBeNull();
    expect(listOf(await get(list))).toHaveLength(1);
  });

  it("no identity is deleted: a balance of hers may not be there yet", async () => {
    const { owner } = await walletUnknownToD1();
    const refused = await call("DELETE", `/identities/${owner}`);
    expect([refused.status, codeOf(refused)]).toEqual([503, "GEN_OVERLOADED"]);
    expect(refused.headers.get("Retry-After")).toBe("1");
    expect((await get(`/identities/${owner}`)).status).toBe(200);
  });
});
