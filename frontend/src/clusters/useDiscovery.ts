import { useState } from "react";
import { useTranslation } from "react-i18next";
import { discover } from "../api/clusters";
import { failureText } from "../api/failure";
import type { Discovered } from "../api/records";

/** How far a discovery is. */
export type Discovery =
  | { phase: "none" }
  | { phase: "running" }
  | { phase: "done"; found: Discovered }
  | { phase: "failed"; why: string };

/** One discovery at a time, and what came of the last one. */
export function useDiscovery() {
  const { t, i18n } = useTranslation();
  const [discovery, setDiscovery] = useState<Discovery>({ phase: "none" });

  const start = async (allNodes: boolean) => {
    setDiscovery({ phase: "running" });
    try {
      setDiscovery({ phase: "done", found: await discover(allNodes, i18n.language) });
    } catch (failure) {
      setDiscovery({ phase: "failed", why: failureText(failure, t) });
    }
  };

  return { discovery, start, forget: () => setDiscovery({ phase: "none" }) };
}
