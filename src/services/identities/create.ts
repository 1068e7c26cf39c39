import { refusal } from "../../domain/error";
import type { Identity } from "../../domain/identity";
import { identityOf, type NewIdentity } from "../../domain/new-identity";
import { err, ok, type Result } from "../../domain/result";
import { recordEvent } from "../../schemas/event";
import { toIdentityBody } from "../../schemas/identity";
import { announcer } from "../announce";
import type { LedgerContext } from "../context";

/** Makes an identity; `identity.created` is told. An id of the client's own works once (contract/core.md section 5.2). */
export async function createIdentity(
  ctx: LedgerContext,
  asked: NewIdentity,
): Promise<Result<Identity>> {
  const made = identityOf(asked, { ordinaryId: `idt_${ctx.uuid()}`, createdAt: ctx.now() });
  if (!made.ok) return made;
  const identity = made.value;
  const { identityId } = identity;
  const { told, announce } = announcer(ctx, () =>
    recordEvent("identity.created", identityId, "created", toIdentityBody(identity)),
  );
  if (await ctx.identities.insert(identity, told)) {
    announce();
    return ok(identity);
  }
  const stored = ctx.isRepeat ? await ctx.identities.byId(identityId) : null;
  // Made by this very request when it was sent before.
  if (stored?.identity.createdAt === identity.createdAt) return ok(stored.identity);
  return err(refusal("IDT_VALIDATION_ERROR", `Identity already exists: ${identityId}`));
}
