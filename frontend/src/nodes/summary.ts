import type { NodeState, WorkStatus } from "../api/records";
import type { ShownNode } from "./shown";

/** How many nodes are in each state, in each work status, and of each cluster. */
export interface Summary {
  total: number;
  states: Record<NodeState, number>;
  works: Record<WorkStatus, number>;
  clusters: ReadonlyMap<string, number>;
}

export function summarize(nodes: readonly ShownNode[]): Summary {
  const clusters = new Map<string, number>();
  const summary: Summary = {
    total: nodes.length,
    states: { alive: 0, stale: 0, dead: 0 },
    works: { idle: 0, detecting: 0, sending: 0, unknown: 0 },
    clusters,
  };
  for (const { node, state, work } of nodes) {
    summary.states[state] += 1;
    summary.works[work] += 1;
    clusters.set(node.cluster, (clusters.get(node.cluster) ?? 0) + 1);
  }
  return summary;
}
