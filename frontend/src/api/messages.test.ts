import { expect, test } from "vitest";
import { parseMessage } from "./messages";

test("a message of a known type is read", () => {
  const text = '{"type": "feed", "data": {"lost_since": null}}';

  expect(parseMessage(text)).toEqual({ type: "feed", data: { lost_since: null } });
});

test.each(["pong", "", "null", "3", '{"type": "cluster_status", "data": {}}', "{"])(
  "%j is passed over",
  (text) => {
    expect(parseMessage(text)).toBeNull();
  },
);
