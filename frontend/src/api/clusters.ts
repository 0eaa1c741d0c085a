import { call } from "./call";
import { answerOf } from "./problem";
import type { ConnectRequest, Discovered } from "./records";

/** Each way to look has seconds, and each cluster that it finds is connected in turn. */
const DISCOVERY_TIMEOUT_MS = 120_000;
const CONNECT_TIMEOUT_MS = 60_000;

/** Look for clusters, and connect to those that let us in. Rejects with a `ProblemError`. */
export async function discover(allNodes: boolean, language: string): Promise<Discovered> {
  const path = `/api/cluster/discover-external?all_nodes=${allNodes}`;
  const answer = await changed("POST", path, language, DISCOVERY_TIMEOUT_MS);
  return (await answer.json()) as Discovered;
}

/** Connect to one cluster. Rejects with a `ProblemError`. */
export async function connect(request: ConnectRequest, language: string): Promise<void> {
  const path = "/api/cluster/connect-external";
  await changed("POST", path, language, CONNECT_TIMEOUT_MS, request);
}

/** Disconnect one cluster, by id. Rejects with a `ProblemError`. */
export async function disconnect(cluster: string, language: string): Promise<void> {
  const path = `/api/cluster/disconnect-external?cluster=${encodeURIComponent(cluster)}`;
  await changed("DELETE", path, language, CONNECT_TIMEOUT_MS);
}

function changed(
  method: string,
  path: string,
  language: string,
  timeoutMs: number,
  body?: unknown,
): Promise<Response> {
  return answerOf(call(method, path, { body, language, timeoutMs }));
}
