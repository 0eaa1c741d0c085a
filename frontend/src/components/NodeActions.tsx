import { Button } from "@mantine/core";
import { IconFolder, IconSend } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { openCastDialog, openFilesDialog } from "../stores/dialog";
import { useMayChange } from "../stores/session";
import classes from "./NodeActions.module.css";

/** What can be done with a living node: look through its files, and cast from it. */
export function NodeActions({ node }: { node: string }) {
  const { t } = useTranslation();
  if (!useMayChange()) return null;
  const look = {
    size: "compact-xs",
    variant: "subtle",
    color: "gray",
    className: classes.action,
  } as const;
  return (
    <span className={classes.actions}>
      <Button
        {...look}
        leftSection={<IconFolder size={14} aria-hidden />}
        onClick={() => openFilesDialog(node)}
      >
        {t("node.files")}
      </Button>
      <Button
        {...look}
        leftSection={<IconSend size={14} aria-hidden />}
        onClick={() => openCastDialog(node)}
      >
        {t("node.cast")}
      </Button>
    </span>
  );
}
