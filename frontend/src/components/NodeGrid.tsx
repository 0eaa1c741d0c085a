import { useElementSize } from "@mantine/hooks";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { Node } from "../api/records";
import { useClusterName } from "../clusters/useClusterName";
import { type GridRow, gridRows } from "../nodes/rows";
import type { Silence } from "../nodes/shown";
import { ClusterMark } from "./ClusterMark";
import { NodeCard } from "./NodeCard";
import classes from "./NodeGrid.module.css";

const NARROWEST_CARD_PX = 330;
const GAP_PX = 12;
/** Only first guesses: each row is measured once it is there. */
const ROW_HEIGHT_PX = 250;
const HEADING_HEIGHT_PX = 28;

interface Props {
  nodes: Node[];
  silence: Silence | null;
  isGrouped: boolean;
}

/** One card a node. Only rows in or near the window exist, so a thousand nodes stay light. */
export function NodeGrid({ nodes, silence, isGrouped }: Props) {
  const { t } = useTranslation();
  const { ref, width } = useElementSize();
  const columns = Math.max(1, Math.floor((width + GAP_PX) / (NARROWEST_CARD_PX + GAP_PX)));
  const rows = useMemo(() => gridRows(nodes, columns, isGrouped), [nodes, columns, isGrouped]);
  const virtual = useWindowVirtualizer({
    count: width === 0 ? 0 : rows.length,
    getItemKey: (index) => rows[index]?.key ?? index,
    estimateSize: (index) => (rows[index]?.nodes === null ? HEADING_HEIGHT_PX : ROW_HEIGHT_PX),
    gap: GAP_PX,
    overscan: 3,
  });
  return (
    <section
      ref={ref}
      aria-label={t("summary.all")}
      className={classes.grid}
      style={{ height: virtual.getTotalSize() }}
    >
      {virtual.getVirtualItems().map(({ key, index, start }) => (
        <div
          key={key}
          ref={virtual.measureElement}
          data-index={index}
          data-of={rows[index]?.nodes === null ? "heading" : "nodes"}
          className={classes.row}
          style={{
            transform: `translateY(${start}px)`,
            gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`,
          }}
        >
          <Row row={rows[index]} silence={silence} />
        </div>
      ))}
    </section>
  );
}

function Row({ row, silence }: { row: GridRow | undefined; silence: Silence | null }) {
  if (row === undefined) return null;
  if (row.nodes === null) return <ClusterHeading cluster={row.cluster} count={row.count} />;
  return row.nodes.map((node) => <NodeCard key={node.key} node={node} silence={silence} />);
}

function ClusterHeading({ cluster, count }: { cluster: string; count: number }) {
  const { t } = useTranslation();
  const name = useClusterName(cluster);
  return (
    <h2 className={classes.heading} data-testid="cluster-heading">
      <ClusterMark cluster={cluster} />
      {name}
      <span className={classes.count}>{t("clusters.nodes", { count })}</span>
    </h2>
  );
}
