import { expect, test } from "vitest";
import { browserLanguage } from ".";
import { en } from "./en";
import { zh } from "./zh";

test.each([
  [["zh-CN", "en"], "zh"],
  [["zh-Hant-TW"], "zh"],
  [["en-US", "zh"], "en"],
  [["fr", "zh"], "zh"],
  [["de"], "en"],
  [[], "en"],
])("a browser that speaks %j gets %s", (languages, language) => {
  expect(browserLanguage(languages)).toBe(language);
});

test("both languages fill in the same things", () => {
  expect(placeholders(zh)).toEqual(placeholders(en));
});

function placeholders(texts: object): unknown {
  return Object.fromEntries(
    Object.entries(texts).map(([key, text]) => [
      key,
      typeof text === "string" ? (text.match(/{{\w+}}/g) ?? []).sort() : placeholders(text),
    ]),
  );
}
