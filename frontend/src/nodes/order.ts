import type { Node } from "../api/records";

/** M2 before M10. */
const NAMES = new Intl.Collator("en", { numeric: true });

/** The order of the API: the home cluster first, in each cluster its head, then by name. */
export function inOrder(nodes: Iterable<Node>): Node[] {
  return [...nodes].sort(
    (a, b) =>
      Number(b.source === "home") - Number(a.source === "home") ||
      NAMES.compare(a.cluster, b.cluster) ||
      Number(b.is_head) - Number(a.is_head) ||
      NAMES.compare(a.name, b.name) ||
      NAMES.compare(a.key, b.key),
  );
}
