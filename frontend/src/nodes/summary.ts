import type { NodeState, WorkStatus } from "../api/records";
import type { ShownNode } from "./shown";

/** How many nodes are in each state, and in each work status. */
export interface Summary {
  total: number;
  states: Record<NodeState, number>;
  works: Record<WorkStatus, number>;
}

export function summarize(nodes: readonly ShownNode[]): Summary {
  const summary: Summary = {
    total: nodes.length,
    states: { alive: 0, stale: 0, dead: 0 },
    works: { idle: 0, detecting: 0, sending: 0, unknown: 0 },
  };
  for (const { state, work } of nodes) {
    summary.states[state] += 1;
    summary.works[work] += 1;
  }
  return summary;
}
