import type { Problem } from "./records";

/** The server refused a call, and says why. */
export class ProblemError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/** The problem in an answer's text; where there is none in it, what its status says. */
export function parseProblem(status: number, text: string): Problem {
  const detail = `HTTP ${status}`;
  const bare = {
    type: "about:blank",
    title: detail,
    status,
    detail,
    errors: null,
    candidates: null,
  };
  try {
    const read = JSON.parse(text);
    return typeof read?.detail === "string" ? { ...bare, ...read } : bare;
  } catch {
    return bare;
  }
}

/** The answer to a call. Rejects with a `ProblemError` where the server refused it. */
export async function answerOf(called: Promise<Response>): Promise<Response> {
  const answer = await called;
  if (!answer.ok) throw new ProblemError(parseProblem(answer.status, await answer.text()));
  return answer;
}
