import type { Plan } from "./plan";

/**
 * The smallest plan that can be reached from one that fails by leaving out steps and faults while it still fails: halves
 * first, then quarters, down to single ones, over and over until none can go. `fails` is asked at most `tries` times.
 */
export async function shrink(
  plan: Plan,
  fails: (smaller: Plan) => Promise<boolean>,
  tries: number,
): Promise<Plan> {
  let smallest = plan;
  let left = tries;
  const attempt = async (smaller: Plan): Promise<boolean> => {
    if (left === 0) return false;
    left -= 1;
    if (!(await fails(smaller))) return false;
    smallest = smaller;
    return true;
  };
  for (let before = -1; sizeOf(smallest) !== before && left > 0; ) {
    before = sizeOf(smallest);
    await without("faults", (faults) => attempt({ ...smallest, faults }));
    await without("steps", (steps) => attempt({ ...smallest, steps }));
  }
  return smallest;

  async function without<Part extends "steps" | "faults">(
    part: Part,
    fits: (list: Plan[Part]) => Promise<boolean>,
  ): Promise<void> {
    for (
      let size = Math.ceil(smallest[part].length / 2);
      size >= 1;
      size = size === 1 ? 0 : size >> 1
    ) {
      for (let at = 0; at < smallest[part].length; ) {
        const list: Plan[Part] = smallest[part];
        const fewer = [...list.slice(0, at), ...list.slice(at + size)] as Plan[Part];
        if (!(await fits(fewer))) at += size;
      }
    }
  }
}

const sizeOf = ({ steps, faults }: Plan): number => steps.length + faults.length;
