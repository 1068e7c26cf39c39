import { type LedgerError, refusal } from "./error";
import { brokenFields, type FieldRule, tooLong } from "./field-rules";
import type { Identity, IdentityChange, IdentityTexts } from "./identity";
import type { IdentityId } from "./ids";
import { brokenMetaData, type MetaDataText } from "./metadata";
import { err, ok, type Result } from "./result";
import type { Instant } from "./time";

/** An identity as a client asks for it. */
export interface NewIdentity extends IdentityTexts<string> {
  /** "" unless the client chose it. */
  readonly identityId: string;
  readonly dob: Instant | null;
  readonly metaData: MetaDataText | null;
}

const UUID = /^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32})$/i;

/** A new identity, its id the client's own if it chose one, kept to the letter (contract/core.md section 5.2). */
export function identityOf(
  asked: NewIdentity,
  made: { readonly ordinaryId: IdentityId; readonly createdAt: Instant },
): Result<Identity> {
  const broken = brokenId(asked.identityId) ?? brokenRules(asked);
  if (broken !== null) return err(broken);
  const identityId = isIdentityId(asked.identityId) ? asked.identityId : made.ordinaryId;
  return ok({ ...asked, identityId, createdAt: made.createdAt });
}

const isIdentityId = (text: string): text is IdentityId => text.startsWith("idt_");

function brokenId(identityId: string): LedgerError | null {
  if (identityId === "") return null;
  if (!isIdentityId(identityId)) {
    return refusal("IDT_VALIDATION_ERROR", "identity_id must start with 'idt_'");
  }
  if (!UUID.test(identityId.slice("idt_".length))) {
    return refusal("IDT_VALIDATION_ERROR", "identity_id must be 'idt_' and a valid UUID");
  }
  return null;
}

/** The identity after a change (contract/core.md section 5.3): a text that is not given stays. */
export function changedIdentity(before: Identity, change: IdentityChange): Result<Identity> {
  const { dob, metaData, ...texts } = change;
  const given = Object.entries(texts).filter(([, text]) => text !== null);
  if (given.length === 0 && dob === null && metaData === null) {
    return err(refusal("GEN_BAD_REQUEST", "No fields provided for update"));
  }
  const after: Identity = {
    ...before,
    ...Object.fromEntries(given),
    dob: dob === null ? before.dob : dayOf(dob),
    metaData: metaData ?? before.metaData,
  };
  const broken = brokenRules(after);
  return broken === null ? ok(after) : err(broken);
}

const dayOf = (dob: Instant | "cleared"): Instant | null => (dob === "cleared" ? null : dob);

function brokenRules(identity: IdentityTexts<string> & { metaData: MetaDataText | null }) {
  const texts: FieldRule[] = [
    ["identity_type", tooLong(identity.identityType)],
    ["organization_name", tooLong(identity.organizationName)],
    ["category", tooLong(identity.category)],
    ["first_name", tooLong(identity.firstName)],
    ["last_name", tooLong(identity.lastName)],
    ["other_names", tooLong(identity.otherNames)],
    ["gender", tooLong(identity.gender)],
    ["email_address", tooLong(identity.emailAddress)],
    ["phone_number", tooLong(identity.phoneNumber)],
    ["nationality", tooLong(identity.nationality)],
    ["street", tooLong(identity.street)],
    ["country", tooLong(identity.country)],
    ["state", tooLong(identity.state)],
    ["post_code", tooLong(identity.postCode)],
    ["city", tooLong(identity.city)],
  ];
  return brokenFields([...texts, ["meta_data", brokenMetaData(identity.metaData)]], "error");
}
