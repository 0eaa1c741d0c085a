import { expect, test } from "vitest";
import { sampleNode } from "../api/samples";
import { gridRows } from "./rows";

const NODES = [
  ...["a", "b", "c"].map((name) => sampleNode({ name })),
  sampleNode({ name: "x", key: "lab/x", cluster: "lab" }),
];

function read(rows: ReturnType<typeof gridRows>): string[] {
  return rows.map((row) =>
    row.nodes === null
      ? `${row.cluster}: ${row.count}`
      : row.nodes.map((node) => node.name).join(" "),
  );
}

test("ungrouped, nodes of all clusters stand side by side", () => {
  expect(read(gridRows(NODES, 2, false))).toEqual(["a b", "c x"]);
});

test("grouped, every cluster has its heading and begins a row", () => {
  expect(read(gridRows(NODES, 2, true))).toEqual(["home: 3", "a b", "c", "lab: 1", "x"]);
});
