import { call } from "./call";
import { answerOf } from "./problem";
import type { Cast, CastAction, CastPage, CastRequest } from "./records";

/** The source is looked through first, and may be a tree of a million files. */
const START_TIMEOUT_MS = 300_000;
const STEER_TIMEOUT_MS = 30_000;

/** Begin a cast; or, for a dry run, learn what it would do. Rejects with a `ProblemError`. */
export async function startCast(request: CastRequest, language: string): Promise<Cast> {
  const options = { body: request, language, timeoutMs: START_TIMEOUT_MS };
  return (await answerOf(call("POST", "/api/casts", options))).json();
}

/** Cancel, pause, resume or retry a cast. Rejects with a `ProblemError`. */
export async function steerCast(id: string, action: CastAction, language: string): Promise<Cast> {
  const path = `/api/casts/${encodeURIComponent(id)}`;
  const options = { language, timeoutMs: STEER_TIMEOUT_MS };
  const answer =
    action === "cancel"
      ? call("DELETE", path, options)
      : call("POST", `${path}/${action}`, options);
  return (await answerOf(answer)).json();
}

/** Casts from the newest on, or from where a page ended. Rejects with a `ProblemError`. */
export async function fetchCasts(cursor: string | null, language: string): Promise<CastPage> {
  const query = cursor === null ? "" : `?cursor=${encodeURIComponent(cursor)}`;
  return (await answerOf(call("GET", `/api/casts${query}`, { language }))).json();
}
