import { SegmentedControl, Select, Stack, Text, TextInput } from "@mantine/core";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { Draft, TargetsBy } from "../casts/draft";
import { useClusterNames } from "../clusters/useClusterName";
import { groupsOfLiving } from "../nodes/groups";
import { useLive } from "../stores/live";
import { NodeChecks } from "./NodeChecks";

const WAYS: TargetsBy[] = ["nodes", "label", "cluster", "all"];

interface Props {
  draft: Draft;
  onDraft(fields: Partial<Draft>): void;
}

/** Where to: nodes by click, by their labels, those of a cluster, or all. */
export function CastTargetPicker({ draft, onDraft }: Props) {
  const { t } = useTranslation();
  const nodes = useLive((live) => live.state.nodes);
  const clusterName = useClusterNames();
  const groups = useMemo(() => groupsOfLiving(nodes.values()), [nodes]);
  const others = groups.flatMap((group) => group.nodes).filter(({ key }) => key !== draft.source);
  return (
    <Stack gap="xs">
      <SegmentedControl
        size="xs"
        aria-label={t("cast.targetsBy")}
        value={draft.by}
        onChange={(by) => onDraft({ by })}
        data={WAYS.map((by) => ({ value: by, label: t(`cast.by.${by}`) }))}
      />
      {draft.by === "nodes" && (
        <NodeChecks
          groups={groups}
          checked={draft.nodes}
          onChecked={(keys) => onDraft({ nodes: keys })}
        />
      )}
      {draft.by === "label" && (
        <TextInput
          label={t("cast.selector")}
          description={t("cast.selectorHint")}
          placeholder="castray.io/name=M*"
          value={draft.selector}
          onChange={(event) => onDraft({ selector: event.currentTarget.value })}
        />
      )}
      {draft.by === "cluster" && (
        <Select
          label={t("cast.cluster")}
          data={groups.map(({ cluster }) => ({
            value: cluster,
            label: clusterName(cluster),
          }))}
          value={draft.cluster}
          onChange={(cluster) => onDraft({ cluster })}
          comboboxProps={{ withinPortal: false }}
        />
      )}
      {draft.by === "all" && <Text size="sm">{t("cast.allNodes", { count: others.length })}</Text>}
    </Stack>
  );
}
