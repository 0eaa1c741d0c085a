const FIRST_MS = 500;
const LONGEST_MS = 5_000;

/**
 * How long to wait before reconnect attempt `attempt` (the first is 1): twice as long each time,
 * and spread out by `random` in [0, 1), so that a thousand pages do not come back as one.
 */
export function backoffMs(attempt: number, random: number): number {
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt);
  return FIRST_MS + (ceiling - FIRST_MS) * random;
}
