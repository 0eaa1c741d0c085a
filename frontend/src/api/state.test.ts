import { expect, test } from "vitest";
import { sampleCast, sampleChanges, sampleCluster, sampleNode } from "./samples";
import { applyChanges, EMPTY_STATE, type State } from "./state";

const HELD: State = {
  version: "1.4",
  nodes: new Map(["M1", "M2"].map((name) => [`home/${name}`, sampleNode({ name })])),
  clusters: new Map([["home", sampleCluster()]]),
  notices: new Map(),
  casts: new Map(),
};

test("a snapshot replaces everything", () => {
  const changes = sampleChanges({
    version: "2.1",
    nodes: { changed: [sampleNode({ name: "M9" })], removed: [] },
  });

  const state = applyChanges(HELD, changes);

  expect(state?.version).toBe("2.1");
  expect([...(state?.nodes.keys() ?? [])]).toEqual(["home/M9"]);
  expect(state?.clusters.size).toBe(0);
});

test("a delta changes, adds and removes what it names, and nothing else", () => {
  const changed = sampleNode({ name: "M2", address: "10.0.0.2" });
  const added = sampleNode({ name: "M3" });
  const changes = sampleChanges({
    version: "1.6",
    since: "1.4",
    nodes: { changed: [changed, added], removed: ["home/M1"] },
  });

  const state = applyChanges(HELD, changes);

  expect(state?.version).toBe("1.6");
  expect([...(state?.nodes.values() ?? [])]).toEqual([changed, added]);
  expect(state?.clusters).toBe(HELD.clusters);
});

test("a delta leaves the state before it as it was", () => {
  const changes = sampleChanges({
    since: "1.4",
    nodes: { changed: [], removed: ["home/M1"] },
  });

  applyChanges(HELD, changes);

  expect(HELD.nodes.size).toBe(2);
});

test.each([HELD, EMPTY_STATE])("a delta from another version is refused", (state) => {
  const changes = sampleChanges({ version: "1.6", since: "1.5" });

  expect(applyChanges(state, changes)).toBeNull();
});

test("casts are kept by id", () => {
  const cast = sampleCast({ id: "c7" });

  const state = applyChanges(
    HELD,
    sampleChanges({ since: "1.4", casts: { changed: [cast], removed: [] } }),
  );

  expect(state?.casts).toEqual(new Map([["c7", cast]]));
});
