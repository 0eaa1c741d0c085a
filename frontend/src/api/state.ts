import type { Cast, Changes, Cluster, Node, Notice } from "./records";

/** Everything that the server told, at one version. */
export interface State {
  readonly version: string | null;
  readonly nodes: ReadonlyMap<string, Node>;
  readonly clusters: ReadonlyMap<string, Cluster>;
  readonly notices: ReadonlyMap<string, Notice>;
  readonly casts: ReadonlyMap<string, Cast>;
}

export const EMPTY_STATE: State = {
  version: null,
  nodes: new Map(),
  clusters: new Map(),
  notices: new Map(),
  casts: new Map(),
};

/** The state after `changes`, or null where they begin at another version than the one held. */
export function applyChanges(state: State, changes: Changes): State | null {
  if (changes.since !== null && changes.since !== state.version) return null;
  const before = changes.since === null ? EMPTY_STATE : state;
  return {
    version: changes.version,
    nodes: merge(before.nodes, changes.nodes, (node) => node.key),
    clusters: merge(before.clusters, changes.clusters, (cluster) => cluster.id),
    notices: merge(before.notices, changes.notices, (notice) => notice.key),
    casts: merge(before.casts, changes.casts, (cast) => cast.id),
  };
}

function merge<T>(
  before: ReadonlyMap<string, T>,
  { changed, removed }: { changed: T[]; removed: string[] },
  keyOf: (record: T) => string,
): ReadonlyMap<string, T> {
  if (changed.length === 0 && removed.length === 0) return before;
  const after = new Map(before);
  for (const key of removed) after.delete(key);
  for (const record of changed) after.set(keyOf(record), record);
  return after;
}
