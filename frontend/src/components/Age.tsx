import { useTranslation } from "react-i18next";
import { formatDuration } from "../format/duration";
import { formatTime } from "../format/time";
import { useServerSeconds } from "../stores/clock";

/** How long ago a moment was, ticking: "for 3m 20s" or "3m 20s ago". */
export function Age({ since, form }: { since: string; form: "for" | "ago" }) {
  const { t, i18n } = useTranslation();
  const seconds = useServerSeconds();
  const time = new Date(since);
  const duration = formatDuration(seconds - time.getTime() / 1000, i18n.language);
  return (
    <time dateTime={since} title={formatTime(time, i18n.language)}>
      {t(`age.${form}`, { duration })}
    </time>
  );
}
