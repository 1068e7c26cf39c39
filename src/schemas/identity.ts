import { z } from "@hono/zod-openapi";
import type { Identity, IdentityChange, IdentityTexts } from "../domain/identity";
import type { NewIdentity } from "../domain/new-identity";
import { type Instant, parseInstant, showInstant, ZERO_TIME } from "../domain/time";
import { bodyOf, instantOut, wireMetaData } from "./common";
import { isJsonObject } from "./json";
import { metaDataOut, shownObject } from "./meta-data";

/** The date of a time as it was written, whatever its zone: a birthday is a day. Null for the zero time. */
const wireDay = z
  .string()
  .transform((text, context): Instant | null => {
    if (parseInstant(text) === null) {
      context.addIssue({ code: "custom", message: "must be a time as in 1991-07-08T00:00:00Z" });
      return z.NEVER;
    }
    const day = text.slice(0, 10);
    return day === ZERO_TIME.slice(0, 10) ? null : `${day}T00:00:00.000000Z`;
  })
  .openapi({ type: "string", format: "date-time", description: "A day; the time is dropped." });

const text = z.string().optional();

/** The body of `POST /identities`. Nothing is required, and no text is checked. */
export const IdentityRequest = bodyOf({
  identity_id: text.openapi({
    description: "`idt_` and a UUID of your own: sent again, it is refused.",
  }),
  identity_type: text.openapi({ example: "individual" }),
  organization_name: text,
  category: text,
  first_name: text,
  last_name: text,
  other_names: text,
  gender: text,
  email_address: text,
  phone_number: text,
  nationality: text,
  street: text,
  country: text,
  state: text,
  post_code: text,
  city: text,
  dob: wireDay.optional(),
  meta_data: wireMetaData.optional(),
}).openapi("IdentityRequest");

type TextName = Exclude<
  keyof z.output<typeof IdentityRequest>,
  "identity_id" | "dob" | "meta_data"
>;

/** A new identity as the domain reads it. */
export function toNewIdentity(body: z.output<typeof IdentityRequest>): NewIdentity {
  return {
    identityId: body.identity_id ?? "",
    ...textsOf((name) => body[name] ?? ""),
    dob: body.dob ?? null,
    metaData: body.meta_data ?? null,
  };
}

/** Stands for a null, which elsewhere is the same as absent. */
const CLEARED = Symbol("a field to be cleared");

/** In a change a null says something: it clears the field. */
function markCleared(body: unknown): unknown {
  if (!isJsonObject(body)) return body;
  const marked = Object.entries(body).map(([name, value]): [string, unknown] => [
    name,
    value === null && name.toLowerCase() !== "meta_data" ? CLEARED : value,
  ]);
  return Object.fromEntries(marked);
}

const clearable = <Schema extends z.ZodType>(schema: Schema) =>
  z
    .union([schema, z.custom<typeof CLEARED>((value) => value === CLEARED)])
    .optional()
    .openapi({ type: ["string", "null"] });

const change = clearable(z.string());

/** The body of `PUT /identities/{id}`. */
export const IdentityUpdate = z
  .preprocess(
    markCleared,
    bodyOf({
      identity_type: change,
      organization_name: change,
      category: change,
      first_name: change,
      last_name: change,
      other_names: change,
      gender: change,
      email_address: change,
      phone_number: change,
      nationality: change,
      street: change,
      country: change,
      state: change,
      post_code: change,
      city: change,
      dob: clearable(wireDay),
      meta_data: wireMetaData
        .optional()
        .openapi({ description: "Replaces the whole object; `POST /{id}/metadata` merges." }),
    }),
  )
  .openapi("IdentityUpdate");

/** A change as the domain reads it: what is absent or empty stays, null clears. */
export function toIdentityChange(body: z.output<typeof IdentityUpdate>): IdentityChange {
  const { dob, meta_data: metaData } = body;
  const texts = textsOf((name) => {
    const value = body[name];
    if (value === CLEARED) return "";
    return typeof value === "string" && value !== "" ? value : null;
  });
  return {
    ...texts,
    dob: dob === CLEARED ? "cleared" : (dob ?? null),
    metaData: metaData ?? null,
  };
}

function textsOf<Value>(read: (name: TextName) => Value): IdentityTexts<Value> {
  return {
    identityType: read("identity_type"),
    organizationName: read("organization_name"),
    category: read("category"),
    firstName: read("first_name"),
    lastName: read("last_name"),
    otherNames: read("other_names"),
    gender: read("gender"),
    emailAddress: read("email_address"),
    phoneNumber: read("phone_number"),
    nationality: read("nationality"),
    street: read("street"),
    country: read("country"),
    state: read("state"),
    postCode: read("post_code"),
    city: read("city"),
  };
}

/** An identity as clients see it (contract/core.md section 5.1). */
export const IdentityBody = z
  .object({
    identity_id: z.string(),
    identity_type: z.string(),
    organization_name: z.string(),
    category: z.string(),
    first_name: z.string(),
    last_name: z.string(),
    other_names: z.string(),
    gender: z.string(),
    email_address: z.string(),
    phone_number: z.string(),
    nationality: z.string(),
    street: z.string(),
    country: z.string(),
    state: z.string(),
    post_code: z.string(),
    city: z.string(),
    dob: instantOut,
    created_at: instantOut,
    meta_data: metaDataOut,
  })
  .openapi("Identity");

export type IdentityBody = z.output<typeof IdentityBody>;

/** An identity for the wire. */
export function toIdentityBody(identity: Identity): IdentityBody {
  return {
    identity_id: identity.identityId,
    identity_type: identity.identityType,
    organization_name: identity.organizationName,
    category: identity.category,
    first_name: identity.firstName,
    last_name: identity.lastName,
    other_names: identity.otherNames,
    gender: identity.gender,
    email_address: identity.emailAddress,
    phone_number: identity.phoneNumber,
    nationality: identity.nationality,
    street: identity.street,
    country: identity.country,
    state: identity.state,
    post_code: identity.postCode,
    city: identity.city,
    dob: identity.dob === null ? ZERO_TIME : showInstant(identity.dob),
    created_at: showInstant(identity.createdAt),
    meta_data: shownObject(identity.metaData),
  };
}
