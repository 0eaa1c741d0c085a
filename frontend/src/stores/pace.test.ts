import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { paced } from "./pace";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("the first value goes out at once, then only the newest of each interval", () => {
  const published: number[] = [];
  const publish = paced((value: number) => published.push(value), 100);

  [1, 2, 3].forEach(publish);
  expect(published).toEqual([1]);
  vi.advanceTimersByTime(100);
  expect(published).toEqual([1, 3]);
  vi.advanceTimersByTime(1_000);
  publish(4);

  expect(published).toEqual([1, 3, 4]);
});
