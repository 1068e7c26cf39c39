import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { indicatorBalanceId } from "../../src/domain/ids";
import { profileFindings } from "../../src/services/integrity/balances";
import { Copies } from "../../src/storage/copies";
import { contextOf, found, soundWorld } from "../support/integrity";
import type { World } from "../support/world";

let world: World;
beforeEach(async () => {
  world = await soundWorld();
});

describe("a balance whose profile changes while it is looked at", () => {
  type Act = () => Promise<unknown>;

  /** D1's rows of balances, with something else happening each time before and after they are read. */
  class Busy extends Copies {
    readonly #acts: { readonly before: Act; readonly after: Act };

    constructor(acts: { readonly before: Act; readonly after: Act }) {
      super(env.DB, world.instance);
      this.#acts = acts;
    }

    override async byKeys(...asked: Parameters<Copies["byKeys"]>) {
      await this.#acts.before();
      const rows = await super.byKeys(...asked);
      await this.#acts.after();
      return rows;
    }
  }

  const alice = () => indicatorBalanceId(world.instance, "@alice", "USD");
  let merges = 0;
  const merge = () => {
    merges += 1;
    const mergeMetaData = JSON.stringify({ merges });
    return world.journal.updateBalance(alice(), { mergeMetaData });
  };
  const nothing = async () => {};
  const look = ({ before = nothing, after }: { before?: Act; after: Act }) =>
    profileFindings({ ...contextOf(world), copies: new Busy({ before, after }) }, [alice()]);

  it("is found sound, however often it changes", async () => {
    expect(await look({ after: merge })).toEqual([]);
    const oftenAtOnce = async () => {
      await merge();
      await merge();
      expect(await world.journal.barrier()).toBe(true);
      await merge();
    };
    expect(await look({ after: oftenAtOnce })).toEqual([]);
    expect(await look({ before: merge, after: oftenAtOnce })).toEqual([]);
  });

  it.each([
    `meta_data = '{"merges":0}'`,
    "identity_id = 'somebody'",
    "profile_version = 0",
    "profile_version = profile_version + 1000",
    "ledger_id = 'another'",
  ])("is found when D1 has what it was neither before nor after: %s", async (columns) => {
    const write = (what: string) =>
      env.DB.prepare(`UPDATE balances SET ${what} WHERE instance_id = ? AND balance_id = ?`)
        .bind(world.instance, alice())
        .run();
    const before = () => write(columns);
    expect(await look({ before, after: merge })).toMatchObject([
      { code: "copy_differs", id: alice() },
    ]);
    await write("profile_version = 0, identity_id = NULL, ledger_id = 'general_ledger_id'");
    await merge();
    expect(await world.journal.barrier()).toBe(true);
    expect(await found(world)).toEqual([]);
  });
});
