/** Records for tests. */
import type { Changes, Cluster, Node, Notice } from "./records";

export function sampleNode(fields: Partial<Node> = {}): Node {
  const name = fields.name ?? "M3";
  return {
    key: `home/${name}`,
    id: name,
    cluster: "home",
    source: "home",
    node_id: name,
    name,
    host_name: `host-of-${name}`,
    address: "10.30.2.11",
    is_head: false,
    state: "alive",
    state_reason: null,
    connection: "wired",
    labels: {},
    resources: { cpu_cores: 8, memory_bytes: 0, gpu_count: 0, object_store_bytes: 0 },
    work: { status: "idle", since: null, current_task: null, stats: null, reason: null },
    monitor: {
      reachable: true,
      port: 8000,
      kind: "stream",
      version: null,
      last_seen: null,
      error: null,
    },
    load: null,
    tasks: [],
    last_report: null,
    ...fields,
  };
}

/** Only what tells clusters apart. */
export function sampleCluster(id = "home"): Cluster {
  return { id, name: id } as Cluster;
}

export function sampleChanges(fields: Partial<Changes> = {}): Changes {
  return {
    version: "1.1",
    since: null,
    nodes: { changed: [], removed: [] },
    clusters: { changed: [], removed: [] },
    notices: { changed: [], removed: [] },
    ...fields,
  };
}
