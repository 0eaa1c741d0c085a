import { memo, useId } from "react";
import type { Node } from "../api/records";
import { clusterColor } from "../clusters/color";
import { type Silence, shown } from "../nodes/shown";
import { LoadRings } from "./LoadRings";
import { MonitorLine } from "./MonitorLine";
import { NodeActions } from "./NodeActions";
import classes from "./NodeCard.module.css";
import { NodeTitle } from "./NodeTitle";
import { StatsLines } from "./StatsLines";
import { WorkDetail } from "./WorkDetail";
import { WorkLine } from "./WorkLine";

/** Everything known of one node. Renders again only when its record or the silence changes. */
export const NodeCard = memo(({ node, silence }: { node: Node; silence: Silence | null }) => {
  const titleId = useId();
  const now = shown(node, silence);
  return (
    <article
      className={classes.card}
      style={{ borderLeftColor: clusterColor(node.cluster) }}
      aria-labelledby={titleId}
      data-testid="node-card"
      data-node-key={node.key}
      data-node-name={node.name}
      data-cluster={node.cluster}
      data-state={now.state}
      data-work-status={now.work}
      data-silent={silence !== null}
    >
      <NodeTitle id={titleId} shown={now} />
      <WorkLine shown={now} silence={silence} />
      <WorkDetail shown={now} silence={silence} />
      <div className={classes.kept}>
        <LoadRings load={node.load} resources={node.resources} />
      </div>
      <footer className={`${classes.footer} ${classes.kept}`}>
        {node.work.stats !== null && <StatsLines stats={node.work.stats} />}
        <div className={classes.last}>
          <MonitorLine monitor={node.monitor} />
          {now.state !== "dead" && <NodeActions node={node.key} />}
        </div>
      </footer>
    </article>
  );
});
