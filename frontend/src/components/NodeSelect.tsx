import { Select } from "@mantine/core";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useClusterNames } from "../clusters/useClusterName";
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
  const clusterName = useClusterNames();
  const data = useMemo(
    () =>
      groupsOfLiving(nodes.values()).map((group) => ({
        group: clusterName(group.cluster),
        items: group.nodes.map(({ key, name, address }) => ({
          value: key,
          label: `${name} · ${address}`,
        })),
      })),
    [nodes, clusterName],
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
