import { expect, test } from "vitest";
import { backoffMs } from "./backoff";

const MOST = 1 - Number.EPSILON;

test("the wait starts short, doubles, and stays within half a second and five", () => {
  const longest = [1, 2, 3, 4, 50].map((attempt) => Math.round(backoffMs(attempt, MOST)));

  expect(longest).toEqual([1000, 2000, 4000, 5000, 5000]);
  expect(backoffMs(50, 0)).toBe(500);
});
