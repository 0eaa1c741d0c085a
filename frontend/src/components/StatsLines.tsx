import { useTranslation } from "react-i18next";
import type { MonitorStats } from "../api/records";
import { formatDuration } from "../format/duration";
import { formatNumber } from "../format/quantity";

/** The statistics that the monitor gave: its counts, and its figures over a window. */
export function StatsLines({ stats }: { stats: MonitorStats }) {
  const { t, i18n } = useTranslation();
  const { window_s } = stats;
  const figure = (value: number | null, digits: number, name: string) =>
    value === null ? [] : [`${formatNumber(value, i18n.language, digits)} ${name}`];
  const counts = [
    ...figure(stats.total_processed, 0, t("stats.processed")),
    ...figure(stats.low_confidence_count, 0, t("stats.lowConfidence")),
    ...figure(stats.sent_to_server, 0, t("stats.sent")),
  ];
  const lately = [
    ...figure(stats.inference_ms_avg, 1, t("stats.average")),
    ...figure(stats.inference_ms_p95, 1, t("stats.p95")),
    ...figure(stats.server_requests_per_min, 1, t("stats.requests")),
  ];
  const window =
    window_s === null
      ? undefined
      : t("stats.window", { duration: formatDuration(window_s, i18n.language) });
  return (
    <>
      {counts.length > 0 && <span>{counts.join(" · ")}</span>}
      {lately.length > 0 && <span title={window}>{lately.join(" · ")}</span>}
    </>
  );
}
