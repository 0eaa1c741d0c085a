import { useTranslation } from "react-i18next";
import type { Cast, CastTarget } from "../api/records";
import { formatBytes } from "../format/quantity";
import { useNodeName } from "../nodes/useNodeName";
import classes from "./CastPlan.module.css";
import { CastTrouble } from "./CastStateMark";

/** What would go where, and how many bytes. */
export function CastPlan({ plan }: { plan: Cast }) {
  const { t, i18n } = useTranslation();
  const { bytes_total: total, targets } = plan;
  return (
    <section className={classes.plan} aria-label={t("cast.plan")} data-testid="cast-plan">
      <p className={classes.sum}>
        {t("casts.targets", { count: targets.length })} ·{" "}
        {total === null
          ? t("unknown")
          : t("cast.planned", { bytes: formatBytes(total, i18n.language) })}
      </p>
      <ul className={classes.targets}>
        {targets.map((target) => (
          <PlannedTarget key={target.node} target={target} />
        ))}
      </ul>
    </section>
  );
}

function PlannedTarget({ target }: { target: CastTarget }) {
  const { t, i18n } = useTranslation();
  const name = useNodeName(target.node);
  const { bytes_total: total } = target;
  return (
    <li className={classes.target}>
      <strong>{name}</strong>
      <span className={classes.path}>{target.path}</span>
      <span>{total === null ? t("unknown") : formatBytes(total, i18n.language)}</span>
      {target.error !== null && <CastTrouble english={target.error} chinese={target.error_zh} />}
    </li>
  );
}
