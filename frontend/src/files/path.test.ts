import { expect, test } from "vitest";
import { crumbsOf, pathIn } from "./path";

const ROOTS = ["/srv", "/srv/castray"];

test.each([
  ["/srv", "a", "/srv/a"],
  ["/srv/", "a b", "/srv/a b"],
  ["/", "a", "/a"],
])("in %s the name %s is %s", (directory, name, path) => {
  expect(pathIn(directory, name)).toBe(path);
});

test("a path leads from the innermost root down", () => {
  expect(crumbsOf("/srv/castray/models/new", ROOTS)).toEqual([
    { name: "/srv/castray", path: "/srv/castray" },
    { name: "models", path: "/srv/castray/models" },
    { name: "new", path: "/srv/castray/models/new" },
  ]);
});

test("a root is one step, and so is what lies in no root", () => {
  expect(crumbsOf("/srv", ROOTS)).toEqual([{ name: "/srv", path: "/srv" }]);
  expect(crumbsOf("/srvs/x", ROOTS)).toEqual([{ name: "/srvs/x", path: "/srvs/x" }]);
});
