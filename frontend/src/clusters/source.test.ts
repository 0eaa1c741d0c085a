import { expect, test } from "vitest";
import { parseSource } from "./source";

test("a source on the head has no node, and one elsewhere names it", () => {
  expect(parseSource("process_scan")).toEqual({ method: "process_scan", node: null });
  expect(parseSource("temp_dir@M3@lab")).toEqual({ method: "temp_dir", node: "M3@lab" });
});
