import { expect, test } from "vitest";
import type { Node } from "../api/records";
import { sampleNode } from "../api/samples";
import { inOrder } from "./order";

function namesInOrder(...nodes: Node[]): string[] {
  return inOrder(nodes).map((node) => node.name);
}

test("names are ordered as people count", () => {
  const nodes = ["M10", "M2", "m1"].map((name) => sampleNode({ name }));

  expect(namesInOrder(...nodes)).toEqual(["m1", "M2", "M10"]);
});

test("the home cluster comes first, and in each cluster its head", () => {
  const worker = sampleNode({ name: "a" });
  const head = sampleNode({ name: "z", is_head: true });
  const other = sampleNode({ name: "b", cluster: "campus", source: "external" });
  const otherHead = sampleNode({ ...other, name: "y", is_head: true });

  expect(namesInOrder(other, otherHead, worker, head)).toEqual(["z", "a", "y", "b"]);
});

test("nodes of one name keep their order, whichever changed last", () => {
  const [one, two] = ["home/1", "home/2"].map((key) => sampleNode({ key }));

  expect(inOrder([two, one] as Node[])).toEqual(inOrder([one, two] as Node[]));
});
