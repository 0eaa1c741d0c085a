import { expect, test } from "vitest";
import { sampleCluster } from "../api/samples";
import { clustersInOrder } from "./order";

test("home comes first, what was only found last, and a loss moves nothing", () => {
  const clusters = [
    sampleCluster({ id: "ray_cluster_001", state: "found" }),
    sampleCluster({ id: "ray_cluster_1000", state: "connected" }),
    sampleCluster({ id: "ray_cluster_003", state: "lost" }),
    sampleCluster(),
  ];

  const ids = clustersInOrder(clusters).map((cluster) => cluster.id);

  expect(ids).toEqual(["home", "ray_cluster_003", "ray_cluster_1000", "ray_cluster_001"]);
});
