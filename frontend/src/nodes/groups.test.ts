import { expect, test } from "vitest";
import { sampleNode } from "../api/samples";
import { groupsOfLiving } from "./groups";

test("living nodes stand by cluster, home first", () => {
  const lab = sampleNode({ name: "N1", key: "lab/N1", cluster: "lab", source: "external" });
  const nodes = [
    lab,
    sampleNode({ name: "M10" }),
    sampleNode({ name: "M2" }),
    sampleNode({ name: "M1", state: "dead" }),
    sampleNode({ name: "M3", state: "stale" }),
  ];

  const groups = groupsOfLiving(nodes);

  expect(groups.map(({ cluster, nodes }) => [cluster, nodes.map(({ name }) => name)])).toEqual([
    ["home", ["M2", "M3", "M10"]],
    ["lab", ["N1"]],
  ]);
});
