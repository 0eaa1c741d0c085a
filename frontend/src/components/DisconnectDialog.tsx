import { useState } from "react";
import { useTranslation } from "react-i18next";
import { disconnect } from "../api/clusters";
import { failureText } from "../api/failure";
import type { Cluster } from "../api/records";
import { ConfirmDialog } from "./ConfirmDialog";

/** Asks whether a cluster is really to be disconnected. */
export function DisconnectDialog({ cluster, onClose }: { cluster: Cluster; onClose(): void }) {
  const { t, i18n } = useTranslation();
  const [error, setError] = useState<string | null>(null);
  const [isBusy, setIsBusy] = useState(false);

  const submit = async () => {
    setIsBusy(true);
    setError(null);
    try {
      await disconnect(cluster.id, i18n.language);
      onClose();
    } catch (failure) {
      setError(failureText(failure, t));
    } finally {
      setIsBusy(false);
    }
  };

  return (
    <ConfirmDialog
      title={t("disconnect.title", { name: cluster.name })}
      what={t("disconnect.what")}
      keep={t("connect.cancel")}
      submit={t("clusters.disconnect")}
      isBusy={isBusy}
      error={error}
      onSubmit={submit}
      onClose={onClose}
    />
  );
}
