import type { Node } from "../api/records";

/** One row of the grid: the cards beside each other, or the heading of a group. */
export type GridRow =
  | { key: string; nodes: Node[] }
  | { key: string; nodes: null; cluster: string; count: number };

/** The rows for that many columns; grouped, each cluster begins a row under its own heading. */
export function gridRows(nodes: Node[], columns: number, isGrouped: boolean): GridRow[] {
  if (!isGrouped) return rowsOf(nodes, columns);
  const clusters = [...new Set(nodes.map((node) => node.cluster))];
  return clusters.flatMap((cluster) => {
    const members = nodes.filter((node) => node.cluster === cluster);
    const heading = { key: cluster, nodes: null, cluster, count: members.length };
    return [heading, ...rowsOf(members, columns)];
  });
}

function rowsOf(nodes: Node[], columns: number): GridRow[] {
  return Array.from({ length: Math.ceil(nodes.length / columns) }, (_, index) => {
    const row = nodes.slice(index * columns, (index + 1) * columns);
    return { key: row[0]?.key ?? "", nodes: row };
  });
}
