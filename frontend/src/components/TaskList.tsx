import { Badge } from "@mantine/core";
import { useTranslation } from "react-i18next";
import classes from "./TaskList.module.css";

const SHOWN = 3;

/** What Ray runs on the node, by name: the first few, the rest on pointing. */
export function TaskList({ tasks }: { tasks: string[] }) {
  const { t } = useTranslation();
  if (tasks.length === 0) return null;
  const more = tasks.slice(SHOWN);
  return (
    <ul className={classes.tasks} aria-label={t("node.runs")}>
      {tasks.slice(0, SHOWN).map((task) => (
        <li key={task} className={classes.task}>
          <Badge variant="default" size="sm" tt="none" fw={400} title={task}>
            {task}
          </Badge>
        </li>
      ))}
      {more.length > 0 && (
        <li className={classes.task} title={more.join("\n")}>
          {t("node.more", { count: more.length })}
        </li>
      )}
    </ul>
  );
}
