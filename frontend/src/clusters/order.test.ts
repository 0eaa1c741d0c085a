import { expect, test } from "vitest";
import { sampleCluster } from "../api/samples";
import { clustersInOrder } from "./order";

test("home comes first, what was only found last, and a loss moves nothing", () => {
  const clusters = [
    sampleCluster({ id: "1", name: "a", state: "found" }),
    sampleCluster({ id: "2", name: "lab 10", state: "connected" }),
    sampleCluster({ id: "3", name: "lab 2", state: "lost" }),
    sampleCluster({ name: "z" }),
  ];

  const names = clustersInOrder(clusters).map((cluster) => cluster.name);

  expect(names).toEqual(["z", "lab 2", "lab 10", "a"]);
});
