import type { CastMode, CastRequest, IfExists } from "../api/records";

const MIB = 1024 ** 2;

/** How targets are chosen. */
export type TargetsBy = "nodes" | "label" | "cluster" | "all";

/** A cast that somebody is filling in. */
export interface Draft {
  /** Key of the node that it comes from. */
  source: string | null;
  path: string;
  destination: string;
  by: TargetsBy;
  nodes: readonly string[];
  selector: string;
  cluster: string | null;
  ifExists: IfExists;
  mode: CastMode;
  /** For each node; null: no limit. */
  limitMibPerS: number | null;
}

export function newDraft(source: string | null, path: string): Draft {
  return {
    source,
    path,
    destination: "",
    by: "nodes",
    nodes: [],
    selector: "",
    cluster: null,
    ifExists: "fail",
    mode: "auto",
    limitMibPerS: null,
  };
}

/** What a draft asks for, or null while something of it is missing. */
export function requestOf(draft: Draft, dryRun: boolean): CastRequest | null {
  const { source, limitMibPerS: limit } = draft;
  const [path, destination] = [draft.path.trim(), draft.destination.trim()];
  const targets = targetsOf(draft);
  if (source === null || path === "" || destination === "" || targets === null) return null;
  return {
    source: { node: source, path },
    destination,
    targets,
    if_exists: draft.ifExists,
    bandwidth_limit: limit === null ? null : Math.round(limit * MIB),
    mode: draft.mode,
    dry_run: dryRun,
  };
}

function targetsOf({ by, nodes, selector, cluster }: Draft): CastRequest["targets"] | null {
  switch (by) {
    case "nodes":
      return nodes.length === 0 ? null : [...nodes];
    case "label":
      return selector.trim() === "" ? null : { selector: selector.trim() };
    case "cluster":
      return cluster === null ? null : { cluster };
    case "all":
      return "all";
  }
}
