import { expect, test } from "vitest";
import { sampleNode } from "../api/samples";
import { matches, NO_FILTER } from "./filter";
import { shown } from "./shown";

const M3 = shown(sampleNode({ name: "M3", address: "10.30.2.11", host_name: "edge-7" }), null);

test.each(["", "m3", "2.11", "EDGE", "m3 10.30", " m3 "])("%j finds the node", (text) => {
  expect(matches(M3, { ...NO_FILTER, text })).toBe(true);
});

test.each(["m4", "m3 10.31"])("%j does not find it", (text) => {
  expect(matches(M3, { ...NO_FILTER, text })).toBe(false);
});

test("state, work status and cluster must be as asked for", () => {
  const asked = { ...NO_FILTER, state: "alive", work: "idle", cluster: "home" } as const;
  expect(matches(M3, asked)).toBe(true);
  expect(matches(M3, { ...NO_FILTER, state: "dead" })).toBe(false);
  expect(matches(M3, { ...NO_FILTER, work: "sending" })).toBe(false);
  expect(matches(M3, { ...NO_FILTER, cluster: "lab" })).toBe(false);
});
