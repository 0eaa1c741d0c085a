import { Button, CloseButton, Progress } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { IfExists } from "../api/records";
import type { Upload } from "../files/useUploads";
import { formatBytes } from "../format/quantity";
import classes from "./UploadList.module.css";

interface Props {
  uploads: readonly Upload[];
  onAgain(upload: Upload, ifExists: IfExists): void;
  onDismiss(id: number): void;
}

/** How far each upload is; where the name is taken, what can be done about that. */
export function UploadList({ uploads, onAgain, onDismiss }: Props) {
  if (uploads.length === 0) return null;
  return (
    <ul className={classes.uploads}>
      {uploads.map((upload) => (
        <UploadLine key={upload.id} upload={upload} onAgain={onAgain} onDismiss={onDismiss} />
      ))}
    </ul>
  );
}

type LineProps = Omit<Props, "uploads"> & { upload: Upload };

function UploadLine({ upload, onAgain, onDismiss }: LineProps) {
  const { t } = useTranslation();
  const { file, phase, sentBytes, error, isTaken } = upload;
  return (
    <li className={classes.upload} data-testid="upload" data-phase={phase}>
      <span className={classes.name}>{file.name}</span>
      <span className={classes.amount}>
        <UploadAmount upload={upload} />
      </span>
      {phase === "done" || phase === "failed" ? (
        <CloseButton
          size="sm"
          aria-label={t("files.dismiss")}
          onClick={() => onDismiss(upload.id)}
        />
      ) : (
        <Progress
          className={classes.bar}
          color="var(--cast-bar)"
          aria-label={file.name}
          value={file.size === 0 ? 0 : (100 * sentBytes) / file.size}
        />
      )}
      {error !== null && (
        <span className={classes.error} role="alert">
          {error}
          {isTaken && (
            <span className={classes.choices}>
              <Button
                size="compact-xs"
                variant="default"
                onClick={() => onAgain(upload, "overwrite")}
              >
                {t("files.replace")}
              </Button>
              <Button size="compact-xs" variant="default" onClick={() => onAgain(upload, "rename")}>
                {t("files.keepBoth")}
              </Button>
            </span>
          )}
        </span>
      )}
    </li>
  );
}

function UploadAmount({ upload: { file, phase, sentBytes } }: { upload: Upload }) {
  const { t, i18n } = useTranslation();
  const total = formatBytes(file.size, i18n.language);
  if (phase !== "sending") return `${t(`files.phase.${phase}`)} · ${total}`;
  return t("casts.amount", { done: formatBytes(sentBytes, i18n.language), total });
}
