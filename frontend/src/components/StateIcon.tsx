import { IconCircleCheck, IconCircleX, IconClockQuestion } from "@tabler/icons-react";
import type { NodeState } from "../api/records";

const ICONS = { alive: IconCircleCheck, stale: IconClockQuestion, dead: IconCircleX };

export function StateIcon({ state }: { state: NodeState }) {
  const Icon = ICONS[state];
  return <Icon size={16} stroke={1.8} aria-hidden />;
}
