import type { Node, NodeState, ReasonCode, WorkStatus } from "../api/records";
import type { Connection } from "../api/socket";

/** Why something is unknown: what the server says, or that the server itself is away. */
export interface ShownReason {
  code: ReasonCode | "page_offline";
  /** The server's own English sentence. */
  detail: string | null;
}

/** Nothing is heard that could vouch for any node; `asOf` is the time of what is still held. */
export interface Silence {
  code: "page_offline" | "feed_lost";
  asOf: Date | null;
}

/** A node as it may honestly be shown now. */
export interface ShownNode {
  node: Node;
  state: NodeState;
  work: WorkStatus;
  reason: ShownReason | null;
}

/** Whether, and since when, nothing is heard. */
export function silenceOf(connection: Connection, feedLostSince: string | null): Silence | null {
  if (connection.phase === "waiting" || connection.phase === "connecting") {
    const { heardAt } = connection;
    return { code: "page_offline", asOf: heardAt === null ? null : new Date(heardAt) };
  }
  return feedLostSince === null ? null : { code: "feed_lost", asOf: new Date(feedLostSince) };
}

/** The node as its record has it, or with nothing vouched for during a silence. */
export function shown(node: Node, silence: Silence | null): ShownNode {
  if (silence !== null && node.state !== "dead") {
    const reason = { code: silence.code, detail: null };
    return { node, state: "stale", work: "unknown", reason };
  }
  const work = node.work.status;
  const reason = node.state_reason ?? (work === "unknown" ? node.work.reason : null);
  return { node, state: node.state, work, reason };
}
