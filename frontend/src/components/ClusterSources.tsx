import { useTranslation } from "react-i18next";
import { useSourceName } from "../clusters/useSourceName";

/** What found the cluster. */
export function ClusterSources({ sources }: { sources: string[] }) {
  const { t } = useTranslation();
  const nameOf = useSourceName();
  if (sources.length === 0) return null;
  return (
    <span title={sources.join(", ")}>
      {t("clusters.foundBy", { sources: sources.map(nameOf).join(t("clusters.comma")) })}
    </span>
  );
}
