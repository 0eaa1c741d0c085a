import { expect, test } from "vitest";
import { resourceUse } from "./resources";

test("what is used is what is not available", () => {
  const resources = {
    CPU: { total: 8, available: 3 },
    Wired: { total: 1, available: 1 },
  };

  expect(resourceUse(resources)).toEqual([{ kind: "cpu", used: 5, total: 8 }]);
});
