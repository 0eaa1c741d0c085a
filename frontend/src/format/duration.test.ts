import { expect, test } from "vitest";
import { formatDuration } from "./duration";

test.each([
  [-5, "0s"],
  [0.9, "0s"],
  [59.9, "59s"],
  [60, "1m"],
  [200, "3m 20s"],
  [7_500, "2h 5m"],
  [86_400 * 400 + 3_600, "400d 1h"],
])("%d s reads %s", (seconds, text) => {
  expect(formatDuration(seconds, "en")).toBe(text);
});

test("it speaks the page's language", () => {
  expect(formatDuration(200, "zh")).toBe("3分钟 20秒");
});
