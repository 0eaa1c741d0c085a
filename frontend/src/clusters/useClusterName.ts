import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import { useLive } from "../stores/live";

/** What a cluster is called: home in the page's language, others as they were named. */
export function useClusterName(id: string): string {
  const { t } = useTranslation();
  const name = useLive((live) => live.state.clusters.get(id)?.name ?? id);
  return id === "home" ? t("clusters.home") : name;
}

/** The same for any cluster, where names are needed within something else. */
export function useClusterNames(): (id: string) => string {
  const { t } = useTranslation();
  const clusters = useLive((live) => live.state.clusters);
  return useCallback(
    (id) => (id === "home" ? t("clusters.home") : (clusters.get(id)?.name ?? id)),
    [clusters, t],
  );
}
