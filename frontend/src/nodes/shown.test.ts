import { expect, test } from "vitest";
import type { Node } from "../api/records";
import { sampleNode } from "../api/samples";
import { shown, silenceOf } from "./shown";

const WORKING: Node["work"] = { ...sampleNode().work, status: "detecting" };
const LOST_AT = "2025-11-20T10:30:00Z";

test("a node that is heard is shown as its record says", () => {
  const node = sampleNode({ work: WORKING });

  expect(shown(node, null)).toEqual({ node, state: "alive", work: "detecting", reason: null });
});

test("an unknown work status comes with its reason", () => {
  const reason = { code: "no_monitor", detail: "Nothing answers." } as const;
  const node = sampleNode({ work: { ...WORKING, status: "unknown", reason } });

  expect(shown(node, null).reason).toEqual(reason);
});

test("the reason of the node's state goes before that of its work", () => {
  const state_reason = { code: "node_dead", detail: "Gone." } as const;
  const reason = { code: "no_monitor", detail: "Nothing answers." } as const;
  const work = { ...WORKING, status: "unknown", reason } as const;

  expect(shown(sampleNode({ state: "dead", state_reason, work }), null).reason).toBe(state_reason);
});

test("in a silence nobody vouches for a node, and it says why", () => {
  const silence = silenceOf({ phase: "live" }, LOST_AT);

  const { state, work, reason } = shown(sampleNode({ work: WORKING }), silence);

  expect([state, work, reason?.code]).toEqual(["stale", "unknown", "feed_lost"]);
});

test("in a silence a dead node stays dead", () => {
  const silence = silenceOf({ phase: "live" }, LOST_AT);

  expect(shown(sampleNode({ state: "dead" }), silence).state).toBe("dead");
});

test("an open connection with a registry behind it is no silence", () => {
  expect(silenceOf({ phase: "live" }, null)).toBeNull();
});

test("a lost connection is a silence since the server was last heard", () => {
  const connection = { phase: "waiting", attempt: 2, heardAt: 1_000, retryAt: 9_000 } as const;

  expect(silenceOf(connection, null)).toEqual({ code: "page_offline", asOf: new Date(1_000) });
});
