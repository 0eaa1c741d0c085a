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
import { ServerText } from "./ServerText";

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

interface TroubleProps {
  path?: string;
  english: string;
  chinese: string | null;
}

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

/** What went wrong, with an icon before it, and with the file that it is about. */
export function CastTrouble({ path, english, chinese }: TroubleProps) {
  const { t } = useTranslation();
  return (
    <span className={classes.trouble}>
      <IconAlertTriangle size={14} stroke={1.8} aria-hidden />
      <span>
        {path !== undefined && path + t("casts.colon")}
        <ServerText english={english} chinese={chinese} />
      </span>
    </span>
  );
}
