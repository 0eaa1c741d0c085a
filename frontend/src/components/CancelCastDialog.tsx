import { useTranslation } from "react-i18next";
import type { Cast } from "../api/records";
import { useSteering } from "../casts/useSteering";
import { ConfirmDialog } from "./ConfirmDialog";

/** Asks whether a cast is really to be cancelled. */
export function CancelCastDialog({ cast, onClose }: { cast: Cast; onClose(): void }) {
  const { t } = useTranslation();
  const { steer, busy, error } = useSteering(cast.id);
  const submit = async () => {
    if (await steer("cancel")) onClose();
  };
  return (
    <ConfirmDialog
      title={t("casts.cancel.title", { path: cast.request.source.path })}
      what={t("casts.cancel.what")}
      keep={t("casts.cancel.keep")}
      submit={t("casts.cancel.submit")}
      isBusy={busy !== null}
      error={error}
      onSubmit={submit}
      onClose={onClose}
    />
  );
}
