/** One way to look for clusters, and the node that it looked on where that is not the head. */
export interface Source {
  method: string;
  node: string | null;
}

/** Read a source's name, such as `process_scan` or `process_scan@M3`. */
export function parseSource(name: string): Source {
  const [method = name, ...node] = name.split("@");
  return { method, node: node.length === 0 ? null : node.join("@") };
}
