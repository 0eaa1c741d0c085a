import { expect, test } from "vitest";
import { type Draft, newDraft, requestOf } from "./draft";

const WHOLE: Draft = {
  ...newDraft("home/M3", " model.pt "),
  destination: "models/",
  nodes: ["home/M1", "home/M2"],
};

test("a whole draft is what is asked for", () => {
  expect(requestOf(WHOLE, true)).toEqual({
    source: { node: "home/M3", path: "model.pt" },
    destination: "models/",
    targets: ["home/M1", "home/M2"],
    if_exists: "fail",
    bandwidth_limit: null,
    mode: "auto",
    dry_run: true,
  });
});

test.each<[Partial<Draft>, unknown]>([
  [{ by: "label", selector: " castray.io/name=M* " }, { selector: "castray.io/name=M*" }],
  [{ by: "cluster", cluster: "lab" }, { cluster: "lab" }],
  [{ by: "all" }, "all"],
])("targets can be chosen by %j", (fields, targets) => {
  expect(requestOf({ ...WHOLE, ...fields }, false)?.targets).toEqual(targets);
});

test.each<Partial<Draft>>([
  { source: null },
  { path: " " },
  { destination: "" },
  { nodes: [] },
  { by: "label" },
  { by: "cluster" },
])("with %j something is missing", (fields) => {
  expect(requestOf({ ...WHOLE, ...fields }, false)).toBeNull();
});

test("a limit is asked for in bytes", () => {
  expect(requestOf({ ...WHOLE, limitMibPerS: 1.5 }, false)?.bandwidth_limit).toBe(1572864);
});
