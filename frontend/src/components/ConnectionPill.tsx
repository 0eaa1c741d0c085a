import { useTranslation } from "react-i18next";
import { useLive } from "../stores/live";
import classes from "./ConnectionPill.module.css";

/** How the page stands with the server, in one word. */
export function ConnectionPill() {
  const { t } = useTranslation();
  const phase = useLive((live) => live.connection.phase);
  const isFeedLost = useLive((live) => live.feedLostSince !== null);
  const word = phase === "live" && isFeedLost ? "feedLost" : phase;
  return (
    <span className={classes.pill} data-testid="connection" data-phase={word}>
      {t(`connection.${word}`)}
    </span>
  );
}
