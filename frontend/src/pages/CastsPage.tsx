import { Alert, Button, Group, Loader, Stack, Title } from "@mantine/core";
import { IconSend } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Cast } from "../api/records";
import { isActive } from "../casts/list";
import { useCasts } from "../casts/useCasts";
import { CastCard } from "../components/CastCard";
import { EmptyState } from "../components/EmptyState";
import { silenceOf } from "../nodes/shown";
import { openCastDialog } from "../stores/dialog";
import { useLive } from "../stores/live";
import { useMayChange } from "../stores/session";

/** Casts that have not ended, and those that have. */
export function CastsPage() {
  const { t } = useTranslation();
  const mayChange = useMayChange();
  const isLoaded = useLive((live) => live.state.version !== null);
  const { casts, readOlder, error, isBusy } = useCasts();

  if (!isLoaded) return <EmptyState icon={<Loader />} title={t("empty.loading")} />;
  return (
    <Stack gap="md">
      <Group justify="space-between">
        <Title order={2} size="h5">
          {t("casts.title")}
        </Title>
        {mayChange && (
          <Button size="xs" leftSection={<IconSend size={16} />} onClick={() => openCastDialog()}>
            {t("casts.new")}
          </Button>
        )}
      </Group>
      {error !== null && <Alert color="orange">{error}</Alert>}
      {casts.length === 0 && !isBusy && error === null && (
        <EmptyState title={t("casts.none")} hint={t("casts.noneHint")} />
      )}
      <CastList title={t("casts.now")} casts={casts.filter(isActive)} />
      <CastList title={t("casts.history")} casts={casts.filter((cast) => !isActive(cast))} />
      {readOlder !== null && (
        <Button variant="default" size="xs" mx="auto" loading={isBusy} onClick={readOlder}>
          {t("casts.older")}
        </Button>
      )}
    </Stack>
  );
}

function CastList({ title, casts }: { title: string; casts: Cast[] }) {
  const mayChange = useMayChange();
  const isSilent = useLive((live) => silenceOf(live.connection, live.feedLostSince) !== null);
  if (casts.length === 0) return null;
  return (
    <Stack component="section" gap="xs" aria-label={title}>
      <Title order={3} size="h6" c="dimmed">
        {title}
      </Title>
      {casts.map((cast) => (
        <CastCard key={cast.id} cast={cast} isSilent={isSilent} mayChange={mayChange} />
      ))}
    </Stack>
  );
}
