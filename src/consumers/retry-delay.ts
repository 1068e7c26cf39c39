/** The longest delay that a queue takes. */
const LONGEST_SECONDS = 12 * 60 * 60;

/**
 * Seconds to wait before a message is tried again: the fourth power of the attempts so far (1 s, 16 s, 81 s, …, at most
 * 12 h), spread by `random` from 0 to 1 over as much again, at most a minute, so that what failed together does not come back together.
 */
export function retryDelaySeconds(attempts: number, random: number): number {
  const delay = attempts ** 4;
  const spread = Math.min(delay, 60) * random;
  return Math.min(LONGEST_SECONDS, Math.ceil(delay + spread));
}
