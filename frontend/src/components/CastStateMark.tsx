import {
  IconAlertTriangle,
  IconCircleCheck,
  IconCircleDashed,
  IconCircleHalf2,
  IconCircleMinus,
  IconCircleX,
  IconClockQuestion,
  IconPlayerPause,
  IconTransfer,
} from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { CastState } from "../api/records";
import classes from "./CastStateMark.module.css";

const ICONS = {
  queued: IconCircleDashed,
  running: IconTransfer,
  paused: IconPlayerPause,
  completed: IconCircleCheck,
  partial: IconCircleHalf2,
  failed: IconCircleX,
  cancelled: IconCircleMinus,
  unknown: IconClockQuestion,
};

/** How a cast or a target of it stands, as icon and word. */
export function CastStateMark({ state }: { state: CastState | "unknown" }) {
  const { t } = useTranslation();
  const Icon = ICONS[state];
  return (
    <span className={classes.mark} data-state={state}>
      <Icon size={16} stroke={1.8} aria-hidden />
      {t(`casts.state.${state}`)}
    </span>
  );
}

/** What went wrong, with an icon before it; the server says that in English. */
export function CastTrouble({ text }: { text: string }) {
  return (
    <span className={classes.trouble} lang="en">
      <IconAlertTriangle size={14} stroke={1.8} aria-hidden />
      <span>{text}</span>
    </span>
  );
}
