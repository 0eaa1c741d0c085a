import { expect, test } from "vitest";
import type { Problem } from "../api/records";
import { connectErrors } from "./connectErrors";

function problem(code: string, errors: Problem["errors"] = null): Problem {
  const type = `urn:castray:problem:${code}`;
  return { type, title: "", status: 422, detail: "What to do.", errors, candidates: null };
}

test("a missing or wrong token is told at the token", () => {
  expect(connectErrors(problem("cluster-wants-token"))).toEqual({ token: "What to do." });
});

test.each(["cluster-unreachable", "address-refused", "not-a-ray-dashboard", "internal-error"])(
  "%s is told at the address",
  (code) => {
    expect(connectErrors(problem(code))).toEqual({ cluster_address: "What to do." });
  },
);

test("what is not valid is told at its own field", () => {
  const errors = [{ location: "body.name", message: "Too long." }];

  expect(connectErrors(problem("invalid-request", errors))).toEqual({ name: "Too long." });
});
