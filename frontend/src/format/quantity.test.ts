import { expect, test } from "vitest";
import { formatGib, formatNumber } from "./quantity";

test("a number has no more digits than asked for", () => {
  expect(formatNumber(1234.56, "en")).toBe("1,235");
  expect(formatNumber(1234.56, "en", 1)).toBe("1,234.6");
});

test("small sizes keep a digit after the point", () => {
  expect(formatGib(3.25 * 1024 ** 3, "en")).toBe("3.3 GiB");
  expect(formatGib(64 * 1024 ** 3, "en")).toBe("64 GiB");
});
