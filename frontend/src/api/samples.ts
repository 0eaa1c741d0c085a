/** Records for tests. */
import type { Cast, CastTarget, Changes, Cluster, Node, Notice } from "./records";

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
    state_reason_zh: null,
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

export function sampleTarget(fields: Partial<CastTarget> = {}): CastTarget {
  return {
    node: "home/M1",
    state: "running",
    path: "/srv/castray/model.pt",
    bytes_total: 1000,
    bytes_done: 250,
    rate_bytes_per_s: null,
    eta_s: null,
    route: null,
    waits_for: null,
    waits_for_zh: null,
    error: null,
    error_zh: null,
    problems: [],
    problems_total: 0,
    ...fields,
  };
}

export function sampleCast(fields: Partial<Cast> = {}): Cast {
  return {
    id: "c1",
    state: "running",
    request: {
      source: { node: "M3", path: "model.pt" },
      destination: "models/",
      targets: ["M1"],
      if_exists: "fail",
      bandwidth_limit: null,
      mode: "auto",
      dry_run: false,
    },
    source: "home/M3",
    bytes_total: 1000,
    bytes_done: 250,
    rate_bytes_per_s: null,
    eta_s: null,
    created: "2025-11-20T10:30:00Z",
    ended: null,
    targets: [sampleTarget()],
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
    casts: { changed: [], removed: [] },
    ...fields,
  };
}
