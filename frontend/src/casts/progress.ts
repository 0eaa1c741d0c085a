import type { Cast, CastTarget } from "../api/records";

/** How far it is, from 0 to 1; null where nobody knows how much it is. */
export function fractionDone(of: Cast | CastTarget): number | null {
  if (of.state === "completed") return 1;
  if (of.bytes_total === null || of.bytes_total === 0) return null;
  return Math.min(1, of.bytes_done / of.bytes_total);
}
