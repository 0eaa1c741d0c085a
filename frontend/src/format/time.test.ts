import { expect, test } from "vitest";
import { formatTime } from "./time";

const TODAY = new Date(2025, 10, 20, 10, 30, 0);

test("today's times are only times", () => {
  expect(formatTime(new Date(2025, 10, 20, 9, 5, 7), "en-GB", TODAY)).toBe("09:05:07");
});

test("other days are named", () => {
  expect(formatTime(new Date(2025, 10, 19, 9, 5, 7), "en-GB", TODAY)).toContain("19 Nov 2025");
});
