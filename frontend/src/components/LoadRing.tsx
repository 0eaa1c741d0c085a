import { RingProgress } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { formatNumber } from "../format/quantity";
import classes from "./LoadRing.module.css";

/** From here on a load is worth a look. */
const HIGH_PERCENT = 90;

interface Props {
  name: string;
  /** Null where nobody measured it: the ring is empty and says "–". */
  percent: number | null;
  children?: ReactNode;
}

export function LoadRing({ name, percent, children }: Props) {
  const { t, i18n } = useTranslation();
  const number = percent === null ? "–" : formatNumber(percent, i18n.language);
  const label =
    percent === null ? t("load.unmeasured", { name }) : t("load.value", { name, percent: number });
  const color = (percent ?? 0) >= HIGH_PERCENT ? "var(--ring-high)" : "var(--ring)";
  return (
    <div className={classes.load} title={label}>
      <span role="img" aria-label={label} data-measured={percent !== null}>
        <RingProgress
          size={42}
          thickness={5}
          rootColor="var(--lamp-off)"
          sections={percent === null ? [] : [{ value: percent, color }]}
          label={<span className={classes.number}>{number}</span>}
        />
      </span>
      <span className={classes.words}>
        <span>{name}</span>
        <span className={classes.amount}>{children}</span>
      </span>
    </div>
  );
}
