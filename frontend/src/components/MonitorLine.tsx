import { useTranslation } from "react-i18next";
import type { MonitorView } from "../api/records";
import { Age } from "./Age";

/** Where the node's monitor is, how it is read, and when it last answered. */
export function MonitorLine({ monitor }: { monitor: MonitorView }) {
  const { t } = useTranslation();
  const words = [
    monitor.port === null ? t("monitor.label") : `${t("monitor.label")} :${monitor.port}`,
  ];
  if (monitor.kind !== null) words.push(t(`monitor.${monitor.kind}`));
  if (monitor.reachable === false) words.push(t("monitor.unreachable"));
  if (monitor.reachable === null && monitor.last_seen === null) words.push(t("monitor.untried"));
  return (
    <span title={monitor.version ?? undefined}>
      {words.join(" · ")}
      {monitor.last_seen !== null && (
        <>
          {" · "}
          <Age since={monitor.last_seen} form="ago" />
        </>
      )}
    </span>
  );
}
