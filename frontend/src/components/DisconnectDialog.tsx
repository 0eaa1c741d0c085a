import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { disconnect } from "../api/clusters";
import { failureText } from "../api/failure";
import type { Cluster } from "../api/records";

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
    <Modal
      opened
      onClose={onClose}
      title={t("disconnect.title", { name: cluster.name })}
      closeButtonProps={{ "aria-label": t("connect.cancel") }}
      transitionProps={{ duration: 0 }}
    >
      <Stack>
        <Text size="sm">{t("disconnect.what")}</Text>
        {error !== null && (
          <Text size="sm" c="red" role="alert">
            {error}
          </Text>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            {t("connect.cancel")}
          </Button>
          <Button color="red" loading={isBusy} onClick={submit}>
            {t("clusters.disconnect")}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
