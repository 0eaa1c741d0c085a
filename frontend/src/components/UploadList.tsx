import { Button, CloseButton, Progress } from "@mantine/core";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { failureText } from "../api/failure";
import type { IfExists } from "../api/records";
import { formatBytes } from "../format/quantity";
import {
  dismissUpload,
  isNameTaken,
  startUpload,
  type Upload,
  useUploads,
} from "../stores/uploads";
import classes from "./UploadList.module.css";

/** How far each upload to a node is; where the name is taken, what can be done about that. */
export function UploadList({ node }: { node: string }) {
  const all = useUploads((store) => store.uploads);
  const uploads = useMemo(() => all.filter((upload) => upload.node === node), [all, node]);
  if (uploads.length === 0) return null;
  return (
    <ul className={classes.uploads}>
      {uploads.map((upload) => (
        <UploadLine key={upload.id} upload={upload} />
      ))}
    </ul>
  );
}

function UploadLine({ upload }: { upload: Upload }) {
  const { t } = useTranslation();
  const { id, file, phase, sentBytes } = upload;
  const isOver = phase === "done" || phase === "failed";
  return (
    <li className={classes.upload} data-testid="upload" data-phase={phase}>
      <span className={classes.name}>{file.name}</span>
      <span className={classes.amount}>
        <UploadAmount upload={upload} />
      </span>
      {!isOver && (
        <Progress
          className={classes.bar}
          color="var(--cast-bar)"
          aria-label={file.name}
          value={file.size === 0 ? 0 : (100 * sentBytes) / file.size}
        />
      )}
      <CloseButton
        size="sm"
        className={classes.dismiss}
        aria-label={t(isOver ? "files.dismiss" : "files.abort")}
        title={t(isOver ? "files.dismiss" : "files.abort")}
        onClick={() => dismissUpload(id)}
      />
      {phase === "failed" && <UploadFailure upload={upload} />}
    </li>
  );
}

function UploadAmount({ upload: { file, phase, sentBytes } }: { upload: Upload }) {
  const { t, i18n } = useTranslation();
  const total = formatBytes(file.size, i18n.language);
  if (phase !== "sending") return `${t(`files.phase.${phase}`)} · ${total}`;
  return t("casts.amount", { done: formatBytes(sentBytes, i18n.language), total });
}

function UploadFailure({ upload }: { upload: Upload }) {
  const { t, i18n } = useTranslation();
  const again = (ifExists: IfExists) => {
    dismissUpload(upload.id);
    startUpload({ ...upload, ifExists }, i18n.language);
  };
  return (
    <span className={classes.error} role="alert">
      {failureText(upload.failure, t)}
      {isNameTaken(upload) && (
        <span className={classes.choices}>
          <Button size="compact-xs" variant="default" onClick={() => again("overwrite")}>
            {t("files.replace")}
          </Button>
          <Button size="compact-xs" variant="default" onClick={() => again("rename")}>
            {t("files.keepBoth")}
          </Button>
        </span>
      )}
    </span>
  );
}
