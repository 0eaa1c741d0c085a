import { expect, test } from "vitest";
import { sampleNotice } from "../api/samples";
import { EMPTY_STATE, type State } from "../api/state";
import { newsBetween } from "./news";

function stateWith(version: string, ...keys: string[]): State {
  return {
    ...EMPTY_STATE,
    version,
    notices: new Map(keys.map((key) => [key, sampleNotice(key)])),
  };
}

function newKeys(before: State, now: State): string[] {
  return newsBetween(before, now).map((notice) => notice.key);
}

test("what the first state tells is no news", () => {
  expect(newKeys(EMPTY_STATE, stateWith("1.1", "a"))).toEqual([]);
});

test("a notice is news once", () => {
  const held = stateWith("1.1", "a");
  const next = stateWith("1.2", "a", "b");

  expect(newKeys(held, next)).toEqual(["b"]);
  expect(newKeys(next, { ...next, version: "1.3" })).toEqual([]);
});

test("the snapshot of a registry that restarted tells only what is new in it", () => {
  expect(newKeys(stateWith("1.9", "a"), stateWith("2.1", "a", "b"))).toEqual(["b"]);
});

test("of what happened while the page slept, the newest is told", () => {
  const missed = stateWith("1.9", "a", "b", "c", "d", "e", "f");

  expect(newKeys(stateWith("1.1"), missed)).toEqual(["c", "d", "e", "f"]);
});
