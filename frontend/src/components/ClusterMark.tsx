import { IconHome, IconTopologyStar3 } from "@tabler/icons-react";
import { clusterColor } from "../clusters/color";
import classes from "./ClusterMark.module.css";

interface Props {
  cluster: string;
  /** What it says by itself; not needed beside the cluster's name. */
  label?: string;
}

/** An icon for the home cluster or an external one, in the colour of the cluster. */
export function ClusterMark({ cluster, label }: Props) {
  const Icon = cluster === "home" ? IconHome : IconTopologyStar3;
  const said =
    label === undefined
      ? { "aria-hidden": true }
      : { role: "img", "aria-label": label, title: label };
  return (
    <span className={classes.mark} style={{ color: clusterColor(cluster) }} {...said}>
      <Icon size={16} aria-hidden />
    </span>
  );
}
