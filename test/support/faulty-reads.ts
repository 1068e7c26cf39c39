import { underFate } from "./faults";

const READS: ReadonlySet<string | symbol> = new Set(["all", "first", "raw", "run"]);

/**
 * D1 as a Worker of an instance reaches it, on a way on which single statements get lost: calls of `d1.read`. What an object
 * does in D1 goes another way.
 */
export function faultyReads(db: D1Database, instance: string): D1Database {
  const name = `${instance}/worker`;
  return new Proxy(db, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property);
      if (typeof value !== "function") return value;
      if (property !== "prepare") return value.bind(target);
      return (query: string) => faultyStatement(target.prepare(query), name);
    },
  });
}

function faultyStatement(statement: D1PreparedStatement, name: string): D1PreparedStatement {
  return new Proxy(statement, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property);
      if (typeof value !== "function") return value;
      if (property === "bind") {
        return (...values: unknown[]) => faultyStatement(target.bind(...values), name);
      }
      if (!READS.has(property)) return value.bind(target);
      return (...values: unknown[]) =>
        underFate(
          { method: "d1.read", name },
          async () => await Reflect.apply(value, target, values),
          () => {},
        );
    },
  });
}
