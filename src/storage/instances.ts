import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { instances } from "./tables";

/** A tenant or environment: what routes its ids, fixed when it was made. */
export interface Instance {
  readonly instanceId: string;
  readonly journalShards: number;
}

/** Every instance. */
export const allInstances = (d1: D1Database): Promise<Instance[]> =>
  drizzle(d1)
    .select({ instanceId: instances.instanceId, journalShards: instances.journalShards })
    .from(instances);

/** The instance with this id, or null. */
export async function instanceById(d1: D1Database, instanceId: string): Promise<Instance | null> {
  const [row] = await drizzle(d1)
    .select({ instanceId: instances.instanceId, journalShards: instances.journalShards })
    .from(instances)
    .where(eq(instances.instanceId, instanceId));
  return row ?? null;
}
