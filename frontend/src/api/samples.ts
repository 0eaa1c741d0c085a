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

export function sampleCluster(fields: Partial<Cluster> = {}): Cluster {
  const id = fields.id ?? "home";
  return {
    id,
    name: id,
    source: id === "home" ? "home" : "external",
    state: "connected",
    state_reason: null,
    ray_version: null,
    session_name: null,
    dashboard_url: null,
    resources: {},
    connected_since: null,
    last_seen: null,
    address: null,
    sources: [],
    needs_token: false,
    node_count: null,
    ...fields,
  };
}

export function sampleNotice(key = "1", fields: Partial<Notice> = {}): Notice {
  return {
    key,
    type: "external_cluster_connected",
    at: "2025-11-20T10:30:00Z",
    cluster: null,
    cluster_address: null,
    external_nodes_count: 0,
    discovered_clusters: [],
    message: "Connected.",
    message_zh: "已连接。",
    ...fields,
  };
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
