import type { TFunction } from "i18next";
import { ProblemError } from "./problem";

/** Why a call failed, in words: the server's own where it answered. */
export function failureText(failure: unknown, t: TFunction): string {
  if (failure instanceof ProblemError) return failure.problem.detail;
  return t("noAnswer", { error: String(failure) });
}
