import { expect, test } from "vitest";
import { parseProblem } from "./problem";

test("a problem document is read", () => {
  const document = { type: "urn:castray:problem:not-found", title: "Not found", detail: "Gone." };

  expect(parseProblem(404, JSON.stringify(document))).toMatchObject(document);
});

test.each(["", "Internal Server Error", "null", '{"detail": [1]}'])(
  "of %j only the status is told",
  (text) => {
    expect(parseProblem(500, text).detail).toBe("HTTP 500");
  },
);
