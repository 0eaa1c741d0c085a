/** What the server lets this browser do; `open` where it asks for no token. */
export type Role = "admin" | "viewer" | "open";

export interface Session {
  authenticated: boolean;
  role: Role | null;
}

const NO_SESSION: Session = { authenticated: false, role: null };

/** A server that takes longer than this is as good as away. */
const TIMEOUT_MS = 5_000;

/** Ask who we are. Rejects where the server cannot be reached or fails. */
export async function fetchSession(): Promise<Session> {
  const answer = await call("GET", "/api/session");
  if (answer.status === 401 || answer.status === 403) return NO_SESSION;
  if (!answer.ok) throw new Error(`GET /api/session: HTTP ${answer.status}`);
  return (await answer.json()) as Session;
}

/** Trade a token for a cookie; false where the server does not know the token. */
export async function logIn(token: string): Promise<boolean> {
  const answer = await call("POST", "/api/login", { token });
  if (answer.status === 401 || answer.status === 403 || answer.status === 422) return false;
  if (!answer.ok) throw new Error(`POST /api/login: HTTP ${answer.status}`);
  return true;
}

/** Give the cookie back. */
export async function logOut(): Promise<void> {
  const answer = await call("POST", "/api/logout");
  if (!answer.ok) throw new Error(`POST /api/logout: HTTP ${answer.status}`);
}

function call(method: string, path: string, body?: unknown): Promise<Response> {
  return fetch(path, {
    method,
    signal: AbortSignal.timeout(TIMEOUT_MS),
    ...(body !== undefined && {
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    }),
  });
}
