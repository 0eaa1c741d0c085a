import { Code, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { EmptyState } from "./EmptyState";

/** Says what to do where Ray has no node. */
export function NoNodes() {
  const { t } = useTranslation();
  return (
    <EmptyState title={t("empty.title")} hint={t("empty.hint")}>
      <Code block>ray start --address={window.location.hostname}:6379</Code>
      <Text size="sm" c="dimmed">
        {t("empty.doctor")}
      </Text>
    </EmptyState>
  );
}
