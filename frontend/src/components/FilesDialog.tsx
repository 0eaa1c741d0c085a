import { ActionIcon, Modal, Stack } from "@mantine/core";
import { IconDownload, IconSend } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { contentUrl } from "../api/files";
import type { FileStatus } from "../api/records";
import { useListing } from "../files/useListing";
import { useNodeName } from "../nodes/useNodeName";
import { openCastDialog } from "../stores/dialog";
import { startUpload, useUploads } from "../stores/uploads";
import { DropZone } from "./DropZone";
import { FileBrowser } from "./FileBrowser";
import { UploadList } from "./UploadList";

/** The files of a node: look through them, fetch them, put more there, cast them. */
export function FilesDialog({ node, onClose }: { node: string; onClose(): void }) {
  const { t, i18n } = useTranslation();
  const name = useNodeName(node);
  const [directory, setDirectory] = useState("");
  const arrived = useUploads(
    ({ uploads }) => uploads.filter((each) => each.node === node && each.phase === "done").length,
  );
  const files = useListing(node, directory, arrived);
  const here = files.listing?.path ?? null;
  return (
    <Modal
      opened
      onClose={onClose}
      size="xl"
      title={t("files.title", { name })}
      closeButtonProps={{ "aria-label": t("files.close") }}
    >
      <Stack gap="sm">
        <FileBrowser
          of={files}
          onOpen={setDirectory}
          actions={(path, status) => <FileActions node={node} path={path} status={status} />}
        />
        {here !== null && files.error === null && (
          <DropZone
            onFiles={(chosen) => {
              for (const file of chosen) {
                const what = { node, directory: here, file, ifExists: "fail" } as const;
                startUpload(what, i18n.language);
              }
            }}
          >
            {t("files.upload", { path: here })}
          </DropZone>
        )}
        <UploadList node={node} />
      </Stack>
    </Modal>
  );
}

function FileActions({ node, path, status }: { node: string; path: string; status: FileStatus }) {
  const { t } = useTranslation();
  const download = t("files.download", { name: status.name });
  const cast = t("files.cast", { name: status.name });
  return (
    <>
      {status.kind === "file" && (
        <ActionIcon
          component="a"
          href={contentUrl(node, path)}
          download={status.name}
          variant="subtle"
          color="gray"
          aria-label={download}
          title={download}
        >
          <IconDownload size={16} />
        </ActionIcon>
      )}
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label={cast}
        title={cast}
        onClick={() => openCastDialog(node, path)}
      >
        <IconSend size={16} />
      </ActionIcon>
    </>
  );
}
