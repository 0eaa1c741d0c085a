import type { NodeState, WorkStatus } from "../api/records";
import type { ShownNode } from "./shown";

/** Which nodes to show; null and empty are: all. */
export interface NodeFilter {
  text: string;
  state: NodeState | null;
  work: WorkStatus | null;
  cluster: string | null;
}

export const NO_FILTER: NodeFilter = { text: "", state: null, work: null, cluster: null };

/** Whether a node passes: status and cluster exactly, and every word somewhere in what names it. */
export function matches({ node, state, work }: ShownNode, filter: NodeFilter): boolean {
  if (filter.state !== null && filter.state !== state) return false;
  if (filter.work !== null && filter.work !== work) return false;
  if (filter.cluster !== null && filter.cluster !== node.cluster) return false;
  const names = [node.name, node.address, node.host_name, node.node_id, node.cluster];
  const haystack = names.join("\n").toLowerCase();
  return words(filter.text).every((word) => haystack.includes(word));
}

function words(text: string): string[] {
  return text.toLowerCase().split(/\s+/).filter(Boolean);
}
