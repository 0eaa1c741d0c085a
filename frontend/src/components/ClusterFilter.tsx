import { Switch, VisuallyHidden } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useClusterName } from "../clusters/useClusterName";
import { ClusterMark } from "./ClusterMark";
import { FilterTile } from "./FilterTile";
import classes from "./NodeFilterBar.module.css";

interface Props {
  counts: ReadonlyMap<string, number>;
  cluster: string | null;
  onCluster(cluster: string | null): void;
  isGrouped: boolean;
  onGrouped(isGrouped: boolean): void;
}

/** How many nodes each cluster has, each of which also filters; and whether to group by them. */
export function ClusterFilter({ counts, cluster, onCluster, isGrouped, onGrouped }: Props) {
  const { t } = useTranslation();
  return (
    <div className={classes.bar}>
      <fieldset className={classes.tiles}>
        <VisuallyHidden component="legend">{t("clusters.count")}</VisuallyHidden>
        {[...counts].map(([id, count]) => (
          <ClusterTile
            key={id}
            cluster={id}
            count={count}
            isPressed={cluster === id}
            onPress={() => onCluster(cluster === id ? null : id)}
          />
        ))}
      </fieldset>
      <Switch
        size="xs"
        label={t("clusters.group")}
        checked={isGrouped}
        onChange={(event) => onGrouped(event.currentTarget.checked)}
      />
    </div>
  );
}

interface TileProps {
  cluster: string;
  count: number;
  isPressed: boolean;
  onPress(): void;
}

function ClusterTile({ cluster, ...tile }: TileProps) {
  const label = useClusterName(cluster);
  return <FilterTile {...tile} label={label} icon={<ClusterMark cluster={cluster} />} />;
}
