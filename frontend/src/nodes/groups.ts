import type { Node } from "../api/records";
import { inOrder } from "./order";

/** The nodes of one cluster. */
export interface NodeGroup {
  cluster: string;
  nodes: Node[];
}

/** The nodes that something can be cast from or to, by cluster. */
export function groupsOfLiving(nodes: Iterable<Node>): NodeGroup[] {
  const groups: NodeGroup[] = [];
  for (const node of inOrder(nodes)) {
    if (node.state === "dead") continue;
    const last = groups.at(-1);
    if (last?.cluster === node.cluster) last.nodes.push(node);
    else groups.push({ cluster: node.cluster, nodes: [node] });
  }
  return groups;
}
