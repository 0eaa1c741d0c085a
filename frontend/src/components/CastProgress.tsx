import { useTranslation } from "react-i18next";
import type { Cast, CastTarget } from "../api/records";
import { fractionDone } from "../casts/progress";
import { formatDuration } from "../format/duration";
import { formatBytes } from "../format/quantity";
import classes from "./CastProgress.module.css";

interface Props {
  of: Cast | CastTarget;
  /** What it is that the bar shows. */
  label: string;
  /** Nobody tells how it is now. */
  isSilent: boolean;
}

/** A bar, how much is there, how fast it goes and how long it still takes; a dash is: unknown. */
export function CastProgress({ of, label, isSilent }: Props) {
  const { t } = useTranslation();
  const amount = useAmount(of);
  const pace = usePace(of);
  return (
    <div className={classes.progress}>
      <Bar of={of} label={label} />
      <span className={classes.amount}>{amount}</span>
      {of.state === "running" && (
        <>
          <span className={classes.rate} title={t("casts.rate")}>
            {isSilent ? t("unknown") : pace.rate}
          </span>
          <span className={classes.left} title={t("casts.left")}>
            {isSilent ? t("unknown") : pace.left}
          </span>
        </>
      )}
    </div>
  );
}

function Bar({ of, label }: { of: Cast | CastTarget; label: string }) {
  const fraction = fractionDone(of);
  const percent = fraction === null ? undefined : Math.floor(fraction * 100);
  return (
    <div
      className={classes.bar}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
      data-state={of.state}
    >
      <div className={classes.done} style={{ transform: `scaleX(${fraction ?? 0})` }} />
    </div>
  );
}

function useAmount({ bytes_done: done, bytes_total: total }: Cast | CastTarget): string {
  const { t, i18n } = useTranslation();
  const doneText = formatBytes(done, i18n.language);
  if (total === null) return done === 0 ? t("unknown") : doneText;
  if (total === done) return doneText;
  return t("casts.amount", { done: doneText, total: formatBytes(total, i18n.language) });
}

function usePace({ rate_bytes_per_s: rate, eta_s: eta }: Cast | CastTarget) {
  const { t, i18n } = useTranslation();
  return {
    rate:
      rate === null
        ? t("unknown")
        : t("casts.perSecond", { bytes: formatBytes(rate, i18n.language) }),
    left:
      eta === null
        ? t("unknown")
        : t("casts.timeLeft", { duration: formatDuration(Math.ceil(eta), i18n.language) }),
  };
}
