import { useTranslation } from "react-i18next";
import type { Node } from "../api/records";
import { formatTime } from "../format/time";
import type { ShownNode, Silence } from "../nodes/shown";
import { TaskList } from "./TaskList";
import classes from "./WorkDetail.module.css";

/** What the node works on and what runs there; or the reason why that is unknown. */
export function WorkDetail({ shown, silence }: { shown: ShownNode; silence: Silence | null }) {
  const { t } = useTranslation();
  const { node, reason } = shown;
  return (
    <div className={classes.detail}>
      {reason !== null && (
        <p className={classes.reason} title={reason.detail ?? undefined} data-testid="reason">
          {t(`reason.${reason.code}`, { port: node.monitor.port ?? "–" })}
        </p>
      )}
      {silence !== null && <LastKnown node={node} asOf={silence.asOf} />}
      {reason === null && node.work.current_task !== null && (
        <p data-testid="current-task">{node.work.current_task}</p>
      )}
      {silence === null && <TaskList tasks={node.tasks} />}
    </div>
  );
}

function LastKnown({ node, asOf }: { node: Node; asOf: Date | null }) {
  const { t, i18n } = useTranslation();
  if (asOf === null || node.work.status === "unknown") return null;
  const values = { time: formatTime(asOf, i18n.language), status: t(`work.${node.work.status}`) };
  return <p className={classes.reason}>{t("node.lastKnown", values)}</p>;
}
