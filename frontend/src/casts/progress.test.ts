import { expect, test } from "vitest";
import { sampleTarget } from "../api/samples";
import { fractionDone } from "./progress";

test.each([
  [{ bytes_done: 250, bytes_total: 1000 }, 0.25],
  [{ bytes_done: 250, bytes_total: null }, null],
  [{ bytes_done: 0, bytes_total: 0 }, null],
  [{ bytes_done: 0, bytes_total: 0, state: "completed" as const }, 1],
  [{ bytes_done: 1001, bytes_total: 1000 }, 1],
])("with %j it is so far: %j", (fields, fraction) => {
  expect(fractionDone(sampleTarget(fields))).toBe(fraction);
});
