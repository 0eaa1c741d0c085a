import { expect, test } from "vitest";
import { clusterColor } from "./color";

test("clusters whose ids follow each other have colours of their own, and so has home", () => {
  const ids = ["home", ...[1, 2, 3, 4, 5, 6].map((number) => `ray_cluster_00${number}`)];

  expect(new Set(ids.map(clusterColor)).size).toBe(ids.length);
});

test("a cluster keeps its colour", () => {
  expect(clusterColor("ray_cluster_001")).toBe(clusterColor("ray_cluster_001"));
});
