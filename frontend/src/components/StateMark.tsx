import type { ReactNode } from "react";
import type { ClusterState, NodeState } from "../api/records";
import classes from "./StateMark.module.css";

interface Props {
  state: NodeState | ClusterState | "unknown";
  /** An icon, and the state in words. */
  children: ReactNode;
}

/** How a node or a cluster stands, at the end of its title; what is amiss stands out. */
export function StateMark({ state, children }: Props) {
  return (
    <span className={classes.mark} data-state={state}>
      {children}
    </span>
  );
}
