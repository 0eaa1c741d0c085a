import { Loader, Stack } from "@mantine/core";
import { useLocalStorage } from "@mantine/hooks";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { ClusterFilter } from "../components/ClusterFilter";
import { ClustersPanel } from "../components/ClustersPanel";
import { EmptyState } from "../components/EmptyState";
import { NodeFilterBar } from "../components/NodeFilterBar";
import { NodeGrid } from "../components/NodeGrid";
import { NoNodes } from "../components/NoNodes";
import { matches, NO_FILTER, type NodeFilter } from "../nodes/filter";
import { inOrder } from "../nodes/order";
import { type Silence, shown, silenceOf } from "../nodes/shown";
import { type Summary, summarize } from "../nodes/summary";
import { useLive } from "../stores/live";

export function NodesPage() {
  const { t } = useTranslation();
  const isLoaded = useLive((live) => live.state.version !== null);
  const connection = useLive((live) => live.connection);
  const feedLostSince = useLive((live) => live.feedLostSince);
  const silence = useMemo(() => silenceOf(connection, feedLostSince), [connection, feedLostSince]);

  if (!isLoaded) return <EmptyState icon={<Loader />} title={t("empty.loading")} />;
  return (
    <Stack gap="md">
      <ClustersPanel silence={silence} />
      <Nodes silence={silence} />
    </Stack>
  );
}

function Nodes({ silence }: { silence: Silence | null }) {
  const { t } = useTranslation();
  const nodes = useLive((live) => live.state.nodes);
  const [asked, setFilter] = useState(NO_FILTER);
  const [isGrouped, setIsGrouped] = useLocalStorage({
    key: "castray.nodes-grouped",
    defaultValue: false,
    getInitialValueInEffect: false,
  });
  const all = useMemo(
    () => inOrder(nodes.values()).map((node) => shown(node, silence)),
    [nodes, silence],
  );
  const summary = useMemo(() => summarize(all), [all]);
  const filter = useMemo(() => withoutGone(asked, summary), [asked, summary]);
  const visible = useMemo(
    () => all.filter((each) => matches(each, filter)).map(({ node }) => node),
    [all, filter],
  );

  if (all.length === 0) return <NoNodes />;
  const hasClusters = summary.clusters.size > 1;
  return (
    <>
      <NodeFilterBar summary={summary} filter={filter} onChange={setFilter} />
      {hasClusters && (
        <ClusterFilter
          counts={summary.clusters}
          cluster={filter.cluster}
          onCluster={(cluster) => setFilter({ ...filter, cluster })}
          isGrouped={isGrouped}
          onGrouped={setIsGrouped}
        />
      )}
      {visible.length === 0 ? (
        <EmptyState title={t("filter.none")} hint={t("filter.noneHint", { count: all.length })} />
      ) : (
        <NodeGrid nodes={visible} silence={silence} isGrouped={hasClusters && isGrouped} />
      )}
    </>
  );
}

/** A cluster that went takes the filter for it along. */
function withoutGone(filter: NodeFilter, { clusters }: Summary): NodeFilter {
  const isGone = filter.cluster !== null && !clusters.has(filter.cluster);
  return isGone ? { ...filter, cluster: null } : filter;
}
