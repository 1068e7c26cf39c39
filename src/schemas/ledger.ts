import { z } from "@hono/zod-openapi";
import type { Ledger } from "../domain/ledger";
import { showInstant } from "../domain/time";
import { bodyOf, instantOut, wireMetaData } from "./common";
import { metaDataOut, shownObject } from "./meta-data";

/** The body of `POST /ledgers`. */
export const LedgerRequest = bodyOf({
  name: z.string().optional().openapi({ description: "Required; need not be unique." }),
  meta_data: wireMetaData.optional(),
}).openapi("LedgerRequest", { required: ["name"] });

/** The body of `PUT /ledgers/{id}`. Its metadata is not touched. */
export const LedgerRename = bodyOf({
  name: z.string().optional().openapi({ description: "Required." }),
}).openapi("LedgerRename", { required: ["name"] });

/** A ledger as clients see it (contract/core.md section 2). */
export const LedgerBody = z
  .object({
    ledger_id: z.string().openapi({ example: "ldg_5d0c6a10-0b5e-4c1f-9a55-0d3b7f1c2e90" }),
    name: z.string(),
    created_at: instantOut,
    meta_data: metaDataOut,
  })
  .openapi("Ledger");

export type LedgerBody = z.output<typeof LedgerBody>;

/** A ledger for the wire. */
export const toLedgerBody = ({ ledgerId, name, createdAt, metaData }: Ledger): LedgerBody => ({
  ledger_id: ledgerId,
  name,
  created_at: showInstant(createdAt),
  meta_data: shownObject(metaData),
});
