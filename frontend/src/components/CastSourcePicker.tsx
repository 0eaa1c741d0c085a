import { SegmentedControl, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Draft } from "../casts/draft";
import { useListing } from "../files/useListing";
import { formatBytes } from "../format/quantity";
import { DropZone } from "./DropZone";
import { FileBrowser } from "./FileBrowser";
import { NodeSelect } from "./NodeSelect";

interface Props {
  draft: Draft;
  /** Whether a file of this computer goes to the source node first; and which. */
  isLocal: boolean;
  file: File | null;
  onDraft(fields: Partial<Draft>): void;
  onLocal(isLocal: boolean): void;
  onFile(file: File): void;
}

/** From where, and what: something that lies on a node, or a file of this computer. */
export function CastSourcePicker({ draft, isLocal, file, onDraft, onLocal, onFile }: Props) {
  const { t } = useTranslation();
  const { source, path } = draft;
  return (
    <Stack gap="xs">
      <NodeSelect
        label={t("cast.sourceNode")}
        node={source}
        onNode={(node) => onDraft({ source: node, path: "" })}
      />
      <SegmentedControl
        size="xs"
        aria-label={t("cast.what")}
        value={isLocal ? "local" : "node"}
        onChange={(value) => onLocal(value === "local")}
        data={[
          { value: "node", label: t("cast.onNode") },
          { value: "local", label: t("cast.onComputer") },
        ]}
      />
      {isLocal ? (
        <LocalFile file={file} onFile={onFile} />
      ) : (
        <>
          <TextInput
            label={t("cast.path")}
            description={t("cast.pathHint")}
            value={path}
            onChange={(event) => onDraft({ path: event.currentTarget.value })}
          />
          {source !== null && (
            <SourceFiles
              key={source}
              node={source}
              chosen={path}
              onChoose={(chosen) => onDraft({ path: chosen })}
            />
          )}
        </>
      )}
    </Stack>
  );
}

function LocalFile({ file, onFile }: { file: File | null; onFile(file: File): void }) {
  const { t, i18n } = useTranslation();
  return (
    <>
      <DropZone onFiles={([first]) => first && onFile(first)}>
        {file === null ? t("cast.drop") : `${file.name} · ${formatBytes(file.size, i18n.language)}`}
      </DropZone>
      <Text size="xs" c="dimmed">
        {t("cast.dropHint")}
      </Text>
    </>
  );
}

interface SourceFilesProps {
  node: string;
  chosen: string;
  onChoose(path: string): void;
}

/** Who opens a directory has also chosen it, but for a root: that cannot be cast as a whole. */
function SourceFiles({ node, chosen, onChoose }: SourceFilesProps) {
  const [directory, setDirectory] = useState("");
  const files = useListing(node, directory);
  const open = (path: string) => {
    setDirectory(path);
    onChoose(files.listing?.roots.includes(path) ? "" : path);
  };
  return <FileBrowser of={files} onOpen={open} onChoose={onChoose} chosen={chosen} />;
}
