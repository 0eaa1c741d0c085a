import { expect, test } from "vitest";
import { sampleCast } from "../api/samples";
import { castsInOrder, isActive } from "./list";

test("what the server tells now counts more than what was read before", () => {
  const told = sampleCast({ id: "a", state: "completed" });
  const read = sampleCast({ id: "a", state: "running" });

  expect(castsInOrder(new Map([["a", told]]), [read])).toEqual([told]);
});

test("the newest cast comes first, wherever it is known from", () => {
  const old = sampleCast({ id: "old", created: "2025-11-20T10:00:00Z" });
  const mid = sampleCast({ id: "mid", created: "2025-11-20T11:00:00Z" });
  const young = sampleCast({ id: "young", created: "2025-11-20T12:00:00+00:00" });

  const casts = castsInOrder(new Map([["mid", mid]]), [old, young, old]);

  expect(casts.map(({ id }) => id)).toEqual(["young", "mid", "old"]);
});

test.each([
  ["queued", true],
  ["running", true],
  ["paused", true],
  ["completed", false],
  ["partial", false],
  ["failed", false],
  ["cancelled", false],
] as const)("of a cast that is %s something is still to come: %s", (state, expected) => {
  expect(isActive(sampleCast({ state }))).toBe(expected);
});
