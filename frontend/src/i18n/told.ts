/** A text of the server's as it is shown, and its language where that may not be the page's. */
export interface Told {
  text: string;
  lang: "en" | undefined;
}

/** The Chinese text on a Chinese page, where there is one; else the English one. */
export function told(english: string, chinese: string | null, language: string): Told {
  const isChinese = language === "zh" && chinese !== null;
  return isChinese ? { text: chinese, lang: undefined } : { text: english, lang: "en" };
}
