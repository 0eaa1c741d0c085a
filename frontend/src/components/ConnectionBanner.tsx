import { Alert, Button, Group, Text } from "@mantine/core";
import { IconPlugConnectedX } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Connection } from "../api/socket";
import { formatDuration } from "../format/duration";
import { formatTime } from "../format/time";
import { silenceOf } from "../nodes/shown";
import { useServerSeconds } from "../stores/clock";
import { liveSocket, useLive } from "../stores/live";

/** Says that nothing is heard, since when, and what is being done about it. */
export function ConnectionBanner() {
  const connection = useLive((live) => live.connection);
  const feedLostSince = useLive((live) => live.feedLostSince);
  const silence = silenceOf(connection, feedLostSince);
  if (silence === null) return null;
  return silence.code === "feed_lost" ? (
    <FeedLost since={silence.asOf} />
  ) : (
    <Offline connection={connection} asOf={silence.asOf} />
  );
}

function Offline({ connection, asOf }: { connection: Connection; asOf: Date | null }) {
  const { t, i18n } = useTranslation();
  // The first attempt is no loss: the page says "Waiting …" itself.
  if (asOf === null && connection.phase === "connecting" && connection.attempt === 0) return null;
  return (
    <Warning title={t("banner.offline")}>
      <Group gap="xs">
        {asOf !== null && (
          <Text size="sm">{t("banner.asOf", { time: formatTime(asOf, i18n.language) })}</Text>
        )}
        <Text size="sm" aria-live="off">
          <Attempt connection={connection} />
        </Text>
        <Button size="compact-xs" variant="default" onClick={() => liveSocket.retry()}>
          {t("banner.retry")}
        </Button>
      </Group>
    </Warning>
  );
}

/** A countdown, which is not read out each second. */
function Attempt({ connection }: { connection: Connection }) {
  const { t, i18n } = useTranslation();
  useServerSeconds();
  if (connection.phase !== "waiting") return t("connection.connecting");
  const { attempt, retryAt } = connection;
  const duration = formatDuration(Math.ceil((retryAt - Date.now()) / 1000), i18n.language);
  return t("banner.attempt", { attempt, duration });
}

function FeedLost({ since }: { since: Date | null }) {
  const { t, i18n } = useTranslation();
  const time = since === null ? "–" : formatTime(since, i18n.language);
  return <Warning title={t("banner.feedLost", { time })} />;
}

function Warning({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <Alert
      data-testid="connection-banner"
      color="orange"
      variant="light"
      mb="md"
      icon={<IconPlugConnectedX />}
      title={title}
      role="status"
    >
      {children}
    </Alert>
  );
}
