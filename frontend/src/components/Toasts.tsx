import { Notification } from "@mantine/core";
import { useTimeout } from "@mantine/hooks";
import { IconPlugConnected, IconPlugConnectedX, IconRadar } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Notice } from "../api/records";
import { dismissToast, useToasts } from "../stores/toasts";
import classes from "./Toasts.module.css";

/** Long enough to read two sentences twice. */
const SHOWN_MS = 12_000;

const ICONS = {
  external_cluster_discovered: IconRadar,
  external_cluster_connected: IconPlugConnected,
  external_cluster_disconnected: IconPlugConnectedX,
};

/** What happened to external clusters just now. */
export function Toasts() {
  const toasts = useToasts((store) => store.toasts);
  return (
    <div role="status" className={classes.toasts}>
      {toasts.map((notice) => (
        <Toast key={notice.key} notice={notice} />
      ))}
    </div>
  );
}

function Toast({ notice }: { notice: Notice }) {
  const { t, i18n } = useTranslation();
  const dismiss = () => dismissToast(notice.key);
  const { start, clear } = useTimeout(dismiss, SHOWN_MS, { autoInvoke: true });
  const Icon = ICONS[notice.type];
  return (
    <Notification
      role="presentation"
      color={notice.type === "external_cluster_disconnected" ? "orange.8" : "gray.7"}
      icon={<Icon size={18} aria-hidden />}
      withBorder
      closeButtonProps={{ "aria-label": t("toast.close") }}
      onClose={dismiss}
      onMouseEnter={clear}
      onMouseLeave={() => start()}
      data-testid="toast"
      data-type={notice.type}
    >
      {i18n.language === "zh" ? notice.message_zh : notice.message}
    </Notification>
  );
}
