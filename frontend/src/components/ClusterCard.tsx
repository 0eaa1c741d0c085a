import { Button } from "@mantine/core";
import { IconKey } from "@tabler/icons-react";
import { useId } from "react";
import { useTranslation } from "react-i18next";
import type { Cluster } from "../api/records";
import { clusterColor } from "../clusters/color";
import { useClusterName } from "../clusters/useClusterName";
import { Age } from "./Age";
import classes from "./ClusterCard.module.css";
import { ClusterMark } from "./ClusterMark";
import { ClusterResources } from "./ClusterResources";
import { ClusterSources } from "./ClusterSources";
import { ClusterStateLine } from "./ClusterStateLine";
import { ServerText } from "./ServerText";

interface Props {
  cluster: Cluster;
  /** Nobody tells how it is now: what is shown is what was last known. */
  isSilent: boolean;
  mayChange: boolean;
  onConnect(): void;
  onDisconnect(): void;
}

/** Everything known of one cluster, and what can be done with it. */
export function ClusterCard({ cluster, isSilent, mayChange, onConnect, onDisconnect }: Props) {
  const { t } = useTranslation();
  const titleId = useId();
  const name = useClusterName(cluster.id);
  const isExternal = cluster.source === "external";
  return (
    <article
      className={classes.card}
      style={{ borderLeftColor: clusterColor(cluster.id) }}
      aria-labelledby={titleId}
      data-testid="cluster-card"
      data-cluster={cluster.id}
      data-state={isSilent ? "unknown" : cluster.state}
    >
      <header className={classes.title}>
        <ClusterMark cluster={cluster.id} />
        <h3 id={titleId} className={classes.name} title={cluster.session_name ?? undefined}>
          {name}
        </h3>
        {cluster.needs_token && (
          <span role="img" aria-label={t("clusters.token")} title={t("clusters.token")}>
            <IconKey size={14} aria-hidden />
          </span>
        )}
        <ClusterStateLine cluster={cluster} isSilent={isSilent} />
      </header>
      <Facts cluster={cluster} name={name} />
      <ClusterReason cluster={cluster} />
      <ClusterResources resources={cluster.resources} />
      <footer className={classes.footer}>
        <ClusterSources sources={cluster.sources} />
        {mayChange && isExternal && (
          <span className={classes.actions}>
            {cluster.state !== "connected" && (
              <Button size="compact-xs" variant="default" onClick={onConnect}>
                {t(cluster.state === "lost" ? "clusters.reconnect" : "clusters.connect")}
              </Button>
            )}
            {cluster.state !== "found" && (
              <Button size="compact-xs" variant="default" onClick={onDisconnect}>
                {t("clusters.disconnect")}
              </Button>
            )}
          </span>
        )}
      </footer>
    </article>
  );
}

function Facts({ cluster, name }: { cluster: Cluster; name: string }) {
  const { t } = useTranslation();
  const address = cluster.address ?? cluster.dashboard_url;
  const facts = [
    ...(address !== null && address !== name ? [address] : []),
    ...(cluster.ray_version !== null ? [t("clusters.ray", { version: cluster.ray_version })] : []),
    ...(cluster.node_count !== null ? [t("clusters.nodes", { count: cluster.node_count })] : []),
  ];
  if (facts.length === 0) return null;
  return (
    <p className={classes.facts} title={cluster.dashboard_url ?? undefined}>
      {facts.join(" · ")}
    </p>
  );
}

/** Why it is lost or only found, as the server saw it. */
function ClusterReason({ cluster }: { cluster: Cluster }) {
  const { t, i18n } = useTranslation();
  const { state_reason: reason, state_reason_zh: chinese, last_seen: lastSeen } = cluster;
  if (reason === null) return null;
  return (
    <div className={classes.reason} data-testid="cluster-reason">
      {i18n.language !== "en" && chinese === null && (
        <p>{t(`reason.${reason.code}`, { port: "–" })}</p>
      )}
      <p>
        <ServerText english={reason.detail} chinese={chinese} />
      </p>
      {lastSeen !== null && (
        <p className={classes.facts}>
          {t("clusters.lastAnswer")} <Age since={lastSeen} form="ago" />
        </p>
      )}
    </div>
  );
}
