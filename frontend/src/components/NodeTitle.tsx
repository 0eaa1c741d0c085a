import { Badge } from "@mantine/core";
import { IconPlugConnected, IconQuestionMark, IconWifi } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { useClusterName } from "../clusters/useClusterName";
import type { ShownNode } from "../nodes/shown";
import { ClusterMark } from "./ClusterMark";
import classes from "./NodeTitle.module.css";
import { StateIcon } from "./StateIcon";
import { StateMark } from "./StateMark";

const CONNECTION_ICONS = {
  wired: IconPlugConnected,
  wireless: IconWifi,
  unknown: IconQuestionMark,
};

/** Which node it is, how it is attached, and whether it can be believed. */
export function NodeTitle({ id, shown: { node, state } }: { id: string; shown: ShownNode }) {
  const { t } = useTranslation();
  const connection = t(`connectionType.${node.connection}`);
  const ConnectionIcon = CONNECTION_ICONS[node.connection];
  return (
    <header className={classes.title}>
      <div className={classes.line}>
        <ClusterMark cluster={node.cluster} label={t(`clusters.${node.source}`)} />
        <h2 id={id} className={classes.name} title={node.host_name}>
          {node.name}
        </h2>
        <StateMark state={state}>
          <StateIcon state={state} />
          {t(`state.${state}`)}
        </StateMark>
      </div>
      <div className={classes.where}>
        <Badge size="xs" variant={node.is_head ? "filled" : "default"} className={classes.role}>
          {t(node.is_head ? "node.head" : "node.worker")}
        </Badge>
        <span role="img" aria-label={connection} title={connection} className={classes.connection}>
          <ConnectionIcon size={14} aria-hidden />
        </span>
        <span className={classes.address}>{node.address}</span>
        {node.source === "external" && <ClusterName cluster={node.cluster} />}
        <span className={classes.id} title={t("node.id", { id: node.node_id })}>
          {node.id}
        </span>
      </div>
    </header>
  );
}

function ClusterName({ cluster }: { cluster: string }) {
  const name = useClusterName(cluster);
  return (
    <span className={classes.cluster} title={name}>
      {name}
    </span>
  );
}
