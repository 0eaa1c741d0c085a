import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import { en } from "./en";
import { zh } from "./zh";

export type Language = "en" | "zh";

const STORAGE_KEY = "castray.language";

/** Start with the language chosen here before, else with the browser's. */
export function startI18n(): void {
  i18next.on("languageChanged", (language) => {
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  });
  i18next.use(initReactI18next).init({
    lng: chosenLanguage() ?? browserLanguage(navigator.languages),
    fallbackLng: "en",
    resources: { en: { translation: en }, zh: { translation: zh } },
    interpolation: { escapeValue: false },
  });
}

/** Switch, and remember it in this browser. */
export function chooseLanguage(language: Language): void {
  localStorage.setItem(STORAGE_KEY, language);
  i18next.changeLanguage(language);
}

/** The first of the browser's languages that this page speaks. */
export function browserLanguage(languages: readonly string[]): Language {
  const known = languages
    .map((tag) => tag.split("-")[0])
    .find((tag) => tag === "zh" || tag === "en");
  return known === "zh" ? "zh" : "en";
}

function chosenLanguage(): Language | null {
  const stored = localStorage.getItem(STORAGE_KEY);
  return stored === "en" || stored === "zh" ? stored : null;
}
