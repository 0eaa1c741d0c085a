import {
  IconCircleCheck,
  IconCircleDashed,
  IconCircleX,
  IconClockQuestion,
} from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Cluster } from "../api/records";
import { Age } from "./Age";
import { StateMark } from "./StateMark";

const ICONS = {
  found: IconCircleDashed,
  connected: IconCircleCheck,
  lost: IconCircleX,
  unknown: IconClockQuestion,
};

/** Whether the cluster is watched, and since when; in a silence nobody knows. */
export function ClusterStateLine({ cluster, isSilent }: { cluster: Cluster; isSilent: boolean }) {
  const { t } = useTranslation();
  const state = isSilent ? "unknown" : cluster.state;
  const Icon = ICONS[state];
  return (
    <StateMark state={state}>
      <Icon size={16} stroke={1.8} aria-hidden />
      {t(`clusters.state.${state}`)}
      {state === "connected" && cluster.connected_since !== null && (
        <Age since={cluster.connected_since} form="for" />
      )}
    </StateMark>
  );
}
