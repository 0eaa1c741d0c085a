import { expect, test } from "vitest";
import { sampleCast } from "../api/samples";
import { castsInOrder, isActive } from "./list";

test("what the server tells now counts more than what was read before", () => {
  const told = sampleCast({ id: "a", state: "queued" });
  const read = sampleCast({ id: "a", state: "failed" });

  expect(castsInOrder(new Map([["a", told]]), [read])).toEqual([told]);
});

test("the newest cast comes first, wherever it is known from", () => {
  const of = (id: string, created: string) => sampleCast({ id, created, state: "completed" });
  const old = of("old", "2025-11-20T10:00:00Z");
  const mid = of("mid", "2025-11-20T11:00:00Z");
  const young = of("young", "2025-11-20T12:00:00+00:00");

  const casts = castsInOrder(new Map([["mid", mid]]), [old, young, old]);

  expect(casts.map(({ id }) => id)).toEqual(["young", "mid", "old"]);
});

test("what was read of a cast that went on since is not shown", () => {
  expect(castsInOrder(new Map(), [sampleCast({ state: "running" })])).toEqual([]);
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
