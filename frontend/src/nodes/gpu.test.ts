import { expect, test } from "vitest";
import type { Load } from "../api/records";
import { gpuPercent } from "./gpu";

function loadOf(...utilizations: (number | null)[]): Load {
  const gpus = utilizations.map((utilization_percent, index) => ({
    index,
    name: "Orin",
    utilization_percent,
    memory_used_bytes: null,
    memory_total_bytes: null,
  }));
  return { gpus } as unknown as Load;
}

test("it is the mean of the GPUs that could be read", () => {
  expect(gpuPercent(loadOf(20, null, 60))).toBe(40);
});

test("a GPU that idles is measured", () => {
  expect(gpuPercent(loadOf(0))).toBe(0);
});

test.each([null, loadOf(), loadOf(null)])("without a measurement there is no figure", (load) => {
  expect(gpuPercent(load)).toBeNull();
});
