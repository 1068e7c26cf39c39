import { mkdtempSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Where Linux keeps files in memory. */
const MEMORY = "/dev/shm";
/** What a run may need there, with room to spare. */
const ROOM_BYTES = 4 * 2 ** 30;

/** A folder for all that a run writes; it goes when this process ends. */
export interface Scratch {
  readonly path: string;
  readonly inMemory: boolean;
  remove(): void;
}

/** In memory where there is such a place and room in it, so that disks take no part; else where the system keeps such things. */
export function scratchFolder(name: string): Scratch {
  const inMemory = roomInMemory() >= ROOM_BYTES;
  const path = mkdtempSync(join(inMemory ? MEMORY : tmpdir(), `purser-${name}-`));
  const remove = () => {
    process.off("exit", remove);
    rmSync(path, { recursive: true, force: true, maxRetries: 5 });
  };
  process.once("exit", remove);
  return { path, inMemory, remove };
}

function roomInMemory(): number {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize;
  } catch {
    return 0;
  }
}
