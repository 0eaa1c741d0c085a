import { IconAlertTriangle, IconCircleCheck, IconCircleDashed } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { SourceReport } from "../api/records";
import { useSourceName } from "../clusters/useSourceName";
import { formatNumber } from "../format/quantity";
import { told } from "../i18n/told";
import classes from "./DiscoveryResult.module.css";
import { ServerText } from "./ServerText";

/** What one way to look saw: clusters, what was none and why, what went wrong, how long it took. */
export function SourceLine({ report }: { report: SourceReport }) {
  const { t, i18n } = useTranslation();
  const nameOf = useSourceName();
  const saw = report.error !== null ? "failed" : report.clusters.length > 0 ? "found" : "nothing";
  const Icon = { failed: IconAlertTriangle, found: IconCircleCheck, nothing: IconCircleDashed }[
    saw
  ];
  const seconds = formatNumber(report.duration_s, i18n.language, 1);
  return (
    <li className={classes.source} data-source={report.name} data-saw={saw}>
      <Icon size={16} stroke={1.8} aria-hidden />
      <strong title={report.name}>{nameOf(report.name)}</strong>
      <span>{t(`discovery.saw.${saw}`, { count: report.clusters.length })}</span>
      <span className={classes.soft}>{t("discovery.took", { seconds })}</span>
      <ul className={classes.details}>
        {report.error !== null && (
          <li>
            <ServerText english={report.error} chinese={report.error_zh} />
          </li>
        )}
        {report.clusters.length > 0 && <li>{report.clusters.join(", ")}</li>}
        {report.rejected.map(({ address, why, why_zh }) => (
          <li key={address}>
            {t("discovery.rejected", { why: told(why, why_zh, i18n.language).text })}
          </li>
        ))}
        {report.notes.map((note, number) => (
          <li key={note}>
            <ServerText english={note} chinese={report.notes_zh[number] ?? null} />
          </li>
        ))}
      </ul>
    </li>
  );
}
