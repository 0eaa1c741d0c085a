import { NativeSelect, NumberInput, SimpleGrid } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { CastMode, IfExists } from "../api/records";
import type { Draft } from "../casts/draft";

const IF_EXISTS: IfExists[] = ["fail", "skip", "overwrite", "rename"];
const MODES: CastMode[] = ["auto", "direct", "relay"];

interface Props {
  draft: Draft;
  onDraft(fields: Partial<Draft>): void;
}

/** What to do where something is there, which way to take, and how fast. */
export function CastOptions({ draft, onDraft }: Props) {
  const { t } = useTranslation();
  return (
    <SimpleGrid cols={{ base: 1, sm: 3 }} spacing="sm">
      <NativeSelect
        label={t("cast.ifExists")}
        value={draft.ifExists}
        onChange={(event) => onDraft({ ifExists: event.currentTarget.value as IfExists })}
        data={IF_EXISTS.map((value) => ({ value, label: t(`cast.exists.${value}`) }))}
      />
      <NativeSelect
        label={t("cast.mode")}
        value={draft.mode}
        onChange={(event) => onDraft({ mode: event.currentTarget.value as CastMode })}
        data={MODES.map((value) => ({ value, label: t(`cast.modes.${value}`) }))}
      />
      <NumberInput
        label={t("cast.limit")}
        placeholder={t("cast.noLimit")}
        suffix=" MiB/s"
        min={0.1}
        decimalScale={1}
        hideControls
        value={draft.limitMibPerS ?? ""}
        onChange={(value) =>
          onDraft({ limitMibPerS: typeof value === "number" && value > 0 ? value : null })
        }
      />
    </SimpleGrid>
  );
}
