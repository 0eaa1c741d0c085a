import { call } from "./call";
import type { Session } from "./records";

/** Ask who we are; null where the server wants a token first. Rejects where it cannot say. */
export async function fetchSession(): Promise<Session | null> {
  const answer = await call("GET", "/api/session");
  if (answer.status === 401) return null;
  if (!answer.ok) throw new Error(`GET /api/session: HTTP ${answer.status}`);
  return (await answer.json()) as Session;
}

/** Trade a token for a cookie; false where the server does not know the token. */
export async function logIn(token: string): Promise<boolean> {
  const answer = await call("POST", "/api/login", { body: { token } });
  if (answer.status === 401 || answer.status === 422) return false;
  if (!answer.ok) throw new Error(`POST /api/login: HTTP ${answer.status}`);
  return true;
}

/** Give the cookie back. */
export async function logOut(): Promise<void> {
  const answer = await call("POST", "/api/logout");
  if (!answer.ok) throw new Error(`POST /api/logout: HTTP ${answer.status}`);
}
