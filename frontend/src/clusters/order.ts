import type { Cluster } from "../api/records";

const IDS = new Intl.Collator("en", { numeric: true });

/** Home first, then those that are watched, then those that were only found; each as they came. */
export function clustersInOrder(clusters: Iterable<Cluster>): Cluster[] {
  return [...clusters].sort(
    (a, b) =>
      Number(b.source === "home") - Number(a.source === "home") ||
      Number(a.state === "found") - Number(b.state === "found") ||
      IDS.compare(a.id, b.id),
  );
}
