import { useTranslation } from "react-i18next";
import type { WorkStatus } from "../api/records";
import { Lamp } from "./Lamp";
import classes from "./Lamps.module.css";

const LAMPS = ["idle", "detecting", "sending"] as const;

/** The three lamps of a node: the one of its status is lit; all are hollow while it is unknown. */
export function Lamps({ status }: { status: WorkStatus }) {
  const { t } = useTranslation();
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for inputs
    <div
      role="group"
      aria-label={t("lamps", { status: t(`work.${status}`) })}
      className={classes.housing}
      data-status={status}
    >
      {LAMPS.map((lamp) => {
        const isLit = lamp === status;
        const label = t(isLit ? "lamp.lit" : "lamp.dark", { status: t(`work.${lamp}`) });
        return (
          <span
            key={lamp}
            role="img"
            aria-label={label}
            title={label}
            className={classes.place}
            data-lamp={lamp}
            data-lit={isLit}
          >
            <Lamp color={status === "unknown" ? "unknown" : lamp} isLit={isLit} />
          </span>
        );
      })}
    </div>
  );
}
