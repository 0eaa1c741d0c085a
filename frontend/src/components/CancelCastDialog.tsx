import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Cast } from "../api/records";
import { useSteering } from "../casts/useSteering";

/** Asks whether a cast is really to be cancelled. */
export function CancelCastDialog({ cast, onClose }: { cast: Cast; onClose(): void }) {
  const { t } = useTranslation();
  const { steer, busy, error } = useSteering(cast.id);
  const submit = async () => {
    if (await steer("cancel")) onClose();
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={t("casts.cancel.title", { path: cast.request.source.path })}
      closeButtonProps={{ "aria-label": t("casts.cancel.keep") }}
      transitionProps={{ duration: 0 }}
    >
      <Stack>
        <Text size="sm">{t("casts.cancel.what")}</Text>
        {error !== null && (
          <Text size="sm" c="red" role="alert">
            {error}
          </Text>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            {t("casts.cancel.keep")}
          </Button>
          <Button color="red" loading={busy !== null} onClick={submit}>
            {t("casts.cancel.submit")}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
