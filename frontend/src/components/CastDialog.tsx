import { Alert, Button, Fieldset, Group, Modal, Progress, Stack, TextInput } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Cast } from "../api/records";
import { type Draft, newDraft, requestOf } from "../casts/draft";
import { type Casting, useCasting } from "../casts/useCasting";
import { formatBytes } from "../format/quantity";
import { showView } from "../stores/view";
import { CastOptions } from "./CastOptions";
import { CastPlan } from "./CastPlan";
import { CastSourcePicker } from "./CastSourcePicker";
import { CastTargetPicker } from "./CastTargetPicker";

interface Props {
  /** Key of the node that it comes from, where that is known. */
  source: string | null;
  path: string;
  onClose(): void;
}

/** Asks what is to go where, shows what that would do, and begins it. */
export function CastDialog({ source, path, onClose }: Props) {
  const { t } = useTranslation();
  const [draft, setDraft] = useState<Draft>(() => newDraft(source, path));
  const [isLocal, setIsLocal] = useState(false);
  const [file, setFile] = useState<File | null>(null);
  const [plan, setPlan] = useState<Cast | null>(null);
  const { casting, error, ...run } = useCasting();
  const whole = isLocal ? { ...draft, path: file?.name ?? "" } : draft;
  const isReady = requestOf(whole, false) !== null;

  const change = (fields: Partial<Draft>) => {
    setDraft((before) => ({ ...before, ...fields }));
    setPlan(null);
  };
  const preview = async () => {
    const request = requestOf(draft, true);
    if (request !== null) setPlan(await run.plan(request));
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    let sent = draft;
    if (isLocal && file !== null && draft.source !== null) {
      const uploaded = await run.upload(draft.source, file);
      if (uploaded === null) return;
      sent = { ...draft, path: uploaded };
      // Whatever comes now, it is there, and need not be sent again.
      setIsLocal(false);
      setDraft(sent);
    }
    const request = requestOf(sent, false);
    if (request === null || (await run.start(request)) === null) return;
    onClose();
    showView("casts");
  };

  return (
    <Modal
      opened
      onClose={onClose}
      size="xl"
      title={t("cast.title")}
      closeOnClickOutside={false}
      closeButtonProps={{ "aria-label": t("cast.cancel") }}
    >
      <Stack component="form" gap="sm" onSubmit={submit}>
        <Fieldset legend={t("cast.from")}>
          <CastSourcePicker
            draft={draft}
            isLocal={isLocal}
            file={file}
            onDraft={change}
            onLocal={(chosen) => {
              setIsLocal(chosen);
              setPlan(null);
            }}
            onFile={setFile}
          />
        </Fieldset>
        <Fieldset legend={t("cast.to")}>
          <Stack gap="sm">
            <CastTargetPicker draft={draft} onDraft={change} />
            <TextInput
              label={t("cast.destination")}
              description={t("cast.destinationHint")}
              value={draft.destination}
              onChange={(event) => change({ destination: event.currentTarget.value })}
            />
          </Stack>
        </Fieldset>
        <CastOptions draft={draft} onDraft={change} />
        {error !== null && (
          <Alert color="orange" variant="light" icon={<IconAlertTriangle />} role="alert">
            {error}
          </Alert>
        )}
        {plan !== null && <CastPlan plan={plan} />}
        <UploadProgress casting={casting} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t("cast.cancel")}
          </Button>
          <Button
            variant="default"
            loading={casting.phase === "planning"}
            disabled={!isReady || isLocal || casting.phase !== "none"}
            title={isLocal ? t("cast.noPreview") : undefined}
            onClick={preview}
          >
            {t("cast.preview")}
          </Button>
          <Button
            type="submit"
            loading={casting.phase === "starting" || casting.phase === "uploading"}
            disabled={!isReady || casting.phase === "planning"}
          >
            {t("cast.submit")}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

function UploadProgress({ casting }: { casting: Casting }) {
  const { t, i18n } = useTranslation();
  if (casting.phase !== "uploading") return null;
  const { sentBytes, totalBytes } = casting;
  const amounts = {
    done: formatBytes(sentBytes, i18n.language),
    total: formatBytes(totalBytes, i18n.language),
  };
  const label = t("cast.uploading", amounts);
  return (
    <div role="status">
      {label}
      <Progress
        mt={4}
        color="var(--cast-bar)"
        aria-label={label}
        value={totalBytes === 0 ? 0 : (100 * sentBytes) / totalBytes}
      />
    </div>
  );
}
