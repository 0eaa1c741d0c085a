import type { Cluster } from "../api/records";

const SHOWN = [
  ["CPU", "cpu"],
  ["memory", "memory"],
  ["GPU", "gpu"],
] as const;

/** How much of a resource Ray gave out; memory in bytes. */
export interface ResourceUse {
  kind: (typeof SHOWN)[number][1];
  used: number;
  total: number;
}

/** What Ray gave out of what every cluster may have; a cluster that has none of it shows none. */
export function resourceUse(resources: Cluster["resources"]): ResourceUse[] {
  return SHOWN.flatMap(([name, kind]) => {
    const resource = resources[name];
    if (resource === undefined) return [];
    return { kind, used: resource.total - resource.available, total: resource.total };
  });
}
