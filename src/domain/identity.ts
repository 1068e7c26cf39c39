import type { IdentityId } from "./ids";
import type { MetaDataText } from "./metadata";
import type { Instant } from "./time";

/** The fields of a person or organisation that are free text: nothing about them is checked. */
export interface IdentityTexts<Value> {
  readonly identityType: Value;
  readonly organizationName: Value;
  readonly category: Value;
  readonly firstName: Value;
  readonly lastName: Value;
  readonly otherNames: Value;
  readonly gender: Value;
  readonly emailAddress: Value;
  readonly phoneNumber: Value;
  readonly nationality: Value;
  readonly street: Value;
  readonly country: Value;
  readonly state: Value;
  readonly postCode: Value;
  readonly city: Value;
}

/** A person or an organisation that owns balances. Texts are "" when unset. */
export interface Identity extends IdentityTexts<string> {
  readonly identityId: IdentityId;
  /** Midnight UTC of the day of birth; null when unknown. */
  readonly dob: Instant | null;
  readonly createdAt: Instant;
  readonly metaData: MetaDataText | null;
}

/** A change of an identity: null leaves a field as it is, "" clears a text. */
export interface IdentityChange extends IdentityTexts<string | null> {
  readonly dob: Instant | "cleared" | null;
  /** Replaces the whole object. */
  readonly metaData: MetaDataText | null;
}
