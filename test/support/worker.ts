/** The Worker that tests run: the product's own, its objects mortal at every checkpoint. */
import {
  BalanceObject as ProductBalanceObject,
  JournalObject as ProductJournalObject,
} from "../../src/index";
import { atCheckpoint, type Victim } from "./faults";

export { default } from "../../src/index";

const victimOf = (ctx: DurableObjectState): Victim => ({
  name: ctx.id.name ?? "",
  abort: (reason) => ctx.abort(reason),
  sync: () => ctx.storage.sync(),
});

export class BalanceObject extends ProductBalanceObject {
  protected override checkpoint(step: string): void | Promise<void> {
    return atCheckpoint(step, victimOf(this.ctx));
  }
}

export class JournalObject extends ProductJournalObject {
  protected override checkpoint(step: string): void | Promise<void> {
    return atCheckpoint(step, victimOf(this.ctx));
  }
}
