import { expect, test } from "vitest";
import { formatBytes, formatGib, formatNumber } from "./quantity";

test("a number has no more digits than asked for", () => {
  expect(formatNumber(1234.56, "en")).toBe("1,235");
  expect(formatNumber(1234.56, "en", 1)).toBe("1,234.6");
});

test("small sizes keep a digit after the point", () => {
  expect(formatGib(3.25 * 1024 ** 3, "en")).toBe("3.3 GiB");
  expect(formatGib(64 * 1024 ** 3, "en")).toBe("64 GiB");
});

test.each([
  [0, "0 B"],
  [1023, "1,023 B"],
  [1024, "1 KiB"],
  [1536 * 1024, "1.5 MiB"],
  [200 * 1024 ** 2, "200 MiB"],
  [5 * 1024 ** 4, "5 TiB"],
  [5000 * 1024 ** 4, "5,000 TiB"],
])("%d bytes are %s", (bytes, text) => {
  expect(formatBytes(bytes, "en")).toBe(text);
});
