import { Select } from "@mantine/core";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { groupsOfLiving } from "../nodes/groups";
import { useLive } from "../stores/live";

interface Props {
  label: string;
  node: string | null;
  onNode(node: string | null): void;
}

/** One of the living nodes, by cluster. */
export function NodeSelect({ label, node, onNode }: Props) {
  const { t } = useTranslation();
  const nodes = useLive((live) => live.state.nodes);
  const clusters = useLive((live) => live.state.clusters);
  const data = useMemo(
    () =>
      groupsOfLiving(nodes.values()).map((group) => ({
        group:
          group.cluster === "home"
            ? t("clusters.home")
            : (clusters.get(group.cluster)?.name ?? group.cluster),
        items: group.nodes.map(({ key, name, address }) => ({
          value: key,
          label: `${name} · ${address}`,
        })),
      })),
    [nodes, clusters, t],
  );
  return (
    <Select
      label={label}
      placeholder={t("cast.chooseNode")}
      nothingFoundMessage={t("cast.noNode")}
      data={data}
      value={node}
      onChange={onNode}
      searchable
      allowDeselect={false}
      comboboxProps={{ withinPortal: false }}
    />
  );
}
