import type { IdentityId } from "./ids";
import type { MetaDataText } from "./metadata";
import type { Instant } from "./time";

/** The fields of a person or organisation that are free text, "" when unset: nothing about them is checked. */
export const IDENTITY_TEXTS = [
  "identityType",
  "organizationName",
  "category",
  "firstName",
  "lastName",
  "otherNames",
  "gender",
  "emailAddress",
  "phoneNumber",
  "nationality",
  "street",
  "country",
  "state",
  "postCode",
  "city",
] as const;

export type IdentityText = (typeof IDENTITY_TEXTS)[number];

/** A person or an organisation that owns balances. */
export interface Identity extends Readonly<Record<IdentityText, string>> {
  readonly identityId: IdentityId;
  /** Midnight UTC of the day of birth; null when unknown. */
  readonly dob: Instant | null;
  readonly createdAt: Instant;
  readonly metaData: MetaDataText | null;
}

/** A change of an identity: what is absent stays. */
export type IdentityChange = {
  readonly [Field in IdentityText]?: string;
} & {
  readonly dob?: Instant | null;
  readonly metaData?: MetaDataText;
};
