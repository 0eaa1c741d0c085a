import { SegmentedControl } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { chooseLanguage, type Language } from "../i18n";

const LANGUAGES: { value: Language; label: string }[] = [
  { value: "en", label: "EN" },
  { value: "zh", label: "中文" },
];

export function LanguageSwitch() {
  const { t, i18n } = useTranslation();
  return (
    <SegmentedControl
      aria-label={t("header.language")}
      size="xs"
      data={LANGUAGES}
      value={i18n.language as Language}
      onChange={chooseLanguage}
    />
  );
}
