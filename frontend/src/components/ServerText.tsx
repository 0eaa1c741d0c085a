import { useTranslation } from "react-i18next";
import { told } from "../i18n/told";

interface Props {
  english: string;
  /** Null where the server has no Chinese for it. */
  chinese: string | null;
}

/** What the server says, in the language of the page where it can. */
export function ServerText({ english, chinese }: Props) {
  const { i18n } = useTranslation();
  const { text, lang } = told(english, chinese, i18n.language);
  return <span lang={lang}>{text}</span>;
}
