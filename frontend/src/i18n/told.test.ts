import { expect, test } from "vitest";
import { told } from "./told";

test.each([
  ["M2 is dead", "M2 已停止", "zh", { text: "M2 已停止", lang: undefined }],
  ["M2 is gone", null, "zh", { text: "M2 is gone", lang: "en" }],
  ["M2 is dead", "M2 已停止", "en", { text: "M2 is dead", lang: "en" }],
])("of %j and %j a page in %j shows what it can", (english, chinese, language, shown) => {
  expect(told(english, chinese, language)).toEqual(shown);
});
