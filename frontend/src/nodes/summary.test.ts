import { expect, test } from "vitest";
import { sampleNode } from "../api/samples";
import { shown } from "./shown";
import { summarize } from "./summary";

test("every node is counted once by state and once by work", () => {
  const idle = shown(sampleNode(), null);
  const dead = shown(
    sampleNode({ state: "dead", work: { ...sampleNode().work, status: "unknown" } }),
    null,
  );

  expect(summarize([idle, idle, dead])).toEqual({
    total: 3,
    states: { alive: 2, stale: 0, dead: 1 },
    works: { idle: 2, detecting: 0, sending: 0, unknown: 1 },
  });
});
