import { ActionIcon, Group, Text, Title } from "@mantine/core";
import { IconLogout } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { logOut } from "../api/session";
import { liveSocket, useLive } from "../stores/live";
import { refreshSession, useSession } from "../stores/session";
import { ConnectionPill } from "./ConnectionPill";
import classes from "./Header.module.css";
import { LanguageSwitch } from "./LanguageSwitch";
import { SchemeSwitch } from "./SchemeSwitch";
import { ViewSwitch } from "./ViewSwitch";

export function Header() {
  const isLocked = useLive(({ connection }) => connection.phase === "locked");
  return (
    <header className={classes.header}>
      <div className={`${classes.line} page-width`}>
        <Group gap="sm" wrap="nowrap">
          <img src={`${import.meta.env.BASE_URL}favicon.svg`} alt="" width={28} height={28} />
          <Title order={1} size="h4">
            CastRay
          </Title>
          <ConnectionPill />
        </Group>
        <Group gap="xs" wrap="nowrap" className={classes.controls}>
          <SessionControls />
          <LanguageSwitch />
          <SchemeSwitch />
        </Group>
        {!isLocked && <ViewSwitch />}
      </div>
    </header>
  );
}

function SessionControls() {
  const { t } = useTranslation();
  const session = useSession((store) => store.session);
  if (!session?.authenticated) return null;
  const leave = async () => {
    await logOut();
    liveSocket.lock();
    await refreshSession();
  };
  return (
    <>
      {session.role === "viewer" && (
        <Text size="xs" c="dimmed">
          {t("header.viewer")}
        </Text>
      )}
      <ActionIcon
        variant="subtle"
        color="gray"
        size="lg"
        aria-label={t("header.logOut")}
        title={t("header.logOut")}
        onClick={leave}
      >
        <IconLogout size={18} />
      </ActionIcon>
    </>
  );
}
