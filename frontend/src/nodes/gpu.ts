import type { Load } from "../api/records";

/** Mean utilisation of the GPUs that could be read, or null where there is none. */
export function gpuPercent(load: Load | null): number | null {
  const known = (load?.gpus ?? []).flatMap((gpu) => gpu.utilization_percent ?? []);
  return known.length === 0 ? null : known.reduce((sum, each) => sum + each, 0) / known.length;
}
