import { useTranslation } from "react-i18next";
import type { ShownNode, Silence } from "../nodes/shown";
import { Age } from "./Age";
import { Lamps } from "./Lamps";
import classes from "./WorkLine.module.css";

/** The lamps, the status in words, and since when. */
export function WorkLine({ shown, silence }: { shown: ShownNode; silence: Silence | null }) {
  const { t } = useTranslation();
  const { since } = shown.node.work;
  return (
    <div className={classes.line}>
      <Lamps status={shown.work} />
      <strong>{t(`work.${shown.work}`)}</strong>
      {silence === null && since !== null && (
        <span className={classes.age}>
          <Age since={since} form="for" />
        </span>
      )}
    </div>
  );
}
