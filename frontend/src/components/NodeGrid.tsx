import { useElementSize } from "@mantine/hooks";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useTranslation } from "react-i18next";
import type { Node } from "../api/records";
import type { Silence } from "../nodes/shown";
import { NodeCard } from "./NodeCard";
import classes from "./NodeGrid.module.css";

const NARROWEST_CARD_PX = 330;
const GAP_PX = 12;
/** Only a first guess: each row is measured once it is there. */
const ROW_HEIGHT_PX = 250;

/** One card a node. Only rows in or near the window exist, so a thousand nodes stay light. */
export function NodeGrid({ nodes, silence }: { nodes: Node[]; silence: Silence | null }) {
  const { t } = useTranslation();
  const { ref, width } = useElementSize();
  const columns = Math.max(1, Math.floor((width + GAP_PX) / (NARROWEST_CARD_PX + GAP_PX)));
  const rows = useWindowVirtualizer({
    count: width === 0 ? 0 : Math.ceil(nodes.length / columns),
    estimateSize: () => ROW_HEIGHT_PX,
    gap: GAP_PX,
    overscan: 3,
  });
  return (
    <section
      ref={ref}
      aria-label={t("summary.all")}
      className={classes.grid}
      style={{ height: rows.getTotalSize() }}
    >
      {rows.getVirtualItems().map((row) => (
        <div
          key={row.key}
          ref={rows.measureElement}
          data-index={row.index}
          className={classes.row}
          style={{
            transform: `translateY(${row.start}px)`,
            gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`,
          }}
        >
          {nodes.slice(row.index * columns, (row.index + 1) * columns).map((node) => (
            <NodeCard key={node.key} node={node} silence={silence} />
          ))}
        </div>
      ))}
    </section>
  );
}
