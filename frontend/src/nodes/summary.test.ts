import { expect, test } from "vitest";
import { sampleNode } from "../api/samples";
import { shown } from "./shown";
import { summarize } from "./summary";

test("every node is counted once by state, by work and by cluster", () => {
  const idle = shown(sampleNode(), null);
  const dead = shown(
    sampleNode({
      state: "dead",
      cluster: "lab",
      work: { ...sampleNode().work, status: "unknown" },
    }),
    null,
  );

  expect(summarize([idle, idle, dead])).toEqual({
    total: 3,
    states: { alive: 2, stale: 0, dead: 1 },
    works: { idle: 2, detecting: 0, sending: 0, unknown: 1 },
    clusters: new Map([
      ["home", 2],
      ["lab", 1],
    ]),
  });
});
