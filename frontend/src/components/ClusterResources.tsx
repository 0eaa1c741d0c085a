import { useTranslation } from "react-i18next";
import type { Cluster } from "../api/records";
import { resourceUse } from "../clusters/resources";
import { formatGib, formatNumber } from "../format/quantity";
import classes from "./ClusterCard.module.css";

/** How much of its resources Ray gave out to what runs on the cluster. */
export function ClusterResources({ resources }: { resources: Cluster["resources"] }) {
  const { t, i18n } = useTranslation();
  const uses = resourceUse(resources);
  if (uses.length === 0) return null;
  return (
    <p className={classes.facts} title={t("clusters.reserved")}>
      {uses
        .map(({ kind, used, total }) => {
          const amount = (value: number) =>
            kind === "memory"
              ? formatGib(value, i18n.language)
              : formatNumber(value, i18n.language, 2);
          return `${t(`load.${kind}`)} ${amount(used)} / ${amount(total)}`;
        })
        .join(" · ")}
    </p>
  );
}
