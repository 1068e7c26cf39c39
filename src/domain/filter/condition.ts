import type { Pattern } from "./pattern";

/** A comparison of text with text: what is stored and what is asked for are in one sortable form. */
export type Test =
  | {
      readonly operator: "eq" | "ne" | "gt" | "gte" | "lt" | "lte";
      readonly value: string;
    }
  | { readonly operator: "in"; readonly values: readonly string[] }
  | { readonly operator: "between"; readonly low: string; readonly high: string }
  | { readonly operator: "like"; readonly pattern: Pattern; readonly ignoreCase: boolean }
  | { readonly operator: "isnull" | "isnotnull" };

/** What a key of the metadata is asked (contract/core.md section 10.2). */
export type MetaDataTest =
  /** Equal in type and value, or a list that holds such a value. `value` is JSON text of a scalar. */
  | {
      readonly operator: "is";
      readonly type: "text" | "number" | "boolean";
      readonly value: string;
    }
  /** A text that is a time within both ends. */
  | { readonly operator: "within"; readonly start: string; readonly end: string }
  /** The value as text. */
  | { readonly operator: "text"; readonly test: Test }
  /** The value as a number; what is none never fits. Operands are decimal text. */
  | { readonly operator: "number"; readonly test: Test };

/** One checked condition of a filter. */
export type Condition =
  | { readonly on: "field"; readonly field: string; readonly test: Test }
  | { readonly on: "meta_data"; readonly key: string; readonly test: MetaDataTest }
  /** Source or destination of a transaction. */
  | { readonly on: "side"; readonly test: Test }
  /** The indicator of a transaction's source or destination. */
  | { readonly on: "side-indicator"; readonly test: Test };
