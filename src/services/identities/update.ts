import type { IdentityChange } from "../../domain/identity";
import { changedIdentity } from "../../domain/new-identity";
import { err, ok, type Result } from "../../domain/result";
import type { LedgerContext } from "../context";
import { changeStored } from "../stored-change";
import { identityNotFound } from "./read";

/** Changes an identity; nothing is told (contract/core.md section 5.3). */
export async function updateIdentity(
  ctx: LedgerContext,
  { identityId, change }: { readonly identityId: string; readonly change: IdentityChange },
): Promise<Result<null>> {
  const changed = await changeStored({
    read: () => ctx.identities.byId(identityId),
    change: ({ identity, revision }) => {
      const after = changedIdentity(identity, change);
      return after.ok ? ok({ identity: after.value, revision }) : after;
    },
    write: (after) => ctx.identities.replace(after),
  });
  if (!changed.ok) return changed;
  return changed.value === null ? err(identityNotFound(identityId)) : ok(null);
}
