/** The Worker that tests run. */
export { BalanceObject, default, JournalObject } from "../../src/index";
