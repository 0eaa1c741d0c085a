import { Button } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Cast, CastAction } from "../api/records";
import { actionsOn } from "../casts/list";
import { useSteering } from "../casts/useSteering";
import { CancelCastDialog } from "./CancelCastDialog";
import classes from "./CastCard.module.css";

/** What can be done with a cast now, and why the last of it was refused. */
export function CastActions({ cast }: { cast: Cast }) {
  const { t } = useTranslation();
  const { steer, busy, error } = useSteering(cast.id);
  const [isAsking, setIsAsking] = useState(false);
  const act = (action: CastAction) =>
    action === "cancel" ? setIsAsking(true) : void steer(action);
  return (
    <span className={classes.actions}>
      {error !== null && <span role="alert">{error}</span>}
      {actionsOn(cast.state).map((action) => (
        <Button
          key={action}
          size="compact-xs"
          variant="default"
          loading={busy === action}
          onClick={() => act(action)}
        >
          {t(`casts.action.${action}`)}
        </Button>
      ))}
      {isAsking && <CancelCastDialog cast={cast} onClose={() => setIsAsking(false)} />}
    </span>
  );
}
