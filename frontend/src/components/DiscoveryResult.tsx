import { Alert, CloseButton, Group, Loader, Text } from "@mantine/core";
import { useInterval } from "@mantine/hooks";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Discovered } from "../api/records";
import type { Discovery } from "../clusters/useDiscovery";
import { formatDuration } from "../format/duration";
import classes from "./DiscoveryResult.module.css";
import { SourceLine } from "./SourceLine";

/** How far a discovery is, and then what each way to look saw. */
export function DiscoveryResult({ discovery, onClose }: { discovery: Discovery; onClose(): void }) {
  const { t } = useTranslation();
  return (
    <div role="status" className={classes.place}>
      {discovery.phase === "running" && <Looking />}
      {discovery.phase === "done" && <Result found={discovery.found} onClose={onClose} />}
      {discovery.phase === "failed" && (
        <Alert
          color="orange"
          variant="light"
          icon={<IconAlertTriangle />}
          title={t("discovery.failed")}
          withCloseButton
          closeButtonLabel={t("discovery.close")}
          onClose={onClose}
        >
          {discovery.why}
        </Alert>
      )}
    </div>
  );
}

function Looking() {
  const { t, i18n } = useTranslation();
  const [seconds, setSeconds] = useState(0);
  useInterval(() => setSeconds((before) => before + 1), 1000, { autoInvoke: true });
  return (
    <Group gap="xs" data-testid="discovery-running">
      <Loader size="xs" />
      <Text size="sm">{t("discovery.running")}</Text>
      <Text size="sm" c="dimmed" aria-live="off">
        {formatDuration(seconds, i18n.language)}
      </Text>
    </Group>
  );
}

function Result({ found, onClose }: { found: Discovered; onClose(): void }) {
  const { t } = useTranslation();
  return (
    <div className={classes.result} data-testid="discovery-result">
      <Group justify="space-between" wrap="nowrap">
        <Text size="sm" fw={600}>
          {found.message}
        </Text>
        <CloseButton aria-label={t("discovery.close")} onClick={onClose} />
      </Group>
      <ul className={classes.sources} aria-label={t("discovery.sources")}>
        {found.sources.map((report) => (
          <SourceLine key={report.name} report={report} />
        ))}
      </ul>
    </div>
  );
}
