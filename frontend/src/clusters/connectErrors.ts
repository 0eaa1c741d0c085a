import type { Problem } from "../api/records";

/** The fields of the connect form. */
export type ConnectField = "cluster_address" | "name" | "token";

const WANTS_TOKEN = "urn:castray:problem:cluster-wants-token";
const FIELDS: ReadonlySet<string> = new Set<ConnectField>(["cluster_address", "name", "token"]);

/** What a refused connect says of each field; what is about none of them is about the address. */
export function connectErrors(problem: Problem): Partial<Record<ConnectField, string>> {
  const invalid = (problem.errors ?? []).flatMap(({ location, message }) => {
    const field = location.replace(/^body\./, "");
    return FIELDS.has(field) ? [[field, message] as const] : [];
  });
  if (invalid.length > 0) return Object.fromEntries(invalid);
  return { [problem.type === WANTS_TOKEN ? "token" : "cluster_address"]: problem.detail };
}
