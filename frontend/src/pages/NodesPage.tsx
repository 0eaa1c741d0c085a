import { Loader, Stack } from "@mantine/core";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { EmptyState } from "../components/EmptyState";
import { NodeFilterBar } from "../components/NodeFilterBar";
import { NodeGrid } from "../components/NodeGrid";
import { NoNodes } from "../components/NoNodes";
import { matches, NO_FILTER } from "../nodes/filter";
import { inOrder } from "../nodes/order";
import { shown, silenceOf } from "../nodes/shown";
import { summarize } from "../nodes/summary";
import { useLive } from "../stores/live";

export function NodesPage() {
  const { t } = useTranslation();
  const [filter, setFilter] = useState(NO_FILTER);
  const { version, nodes } = useLive((live) => live.state);
  const connection = useLive((live) => live.connection);
  const feedLostSince = useLive((live) => live.feedLostSince);
  const silence = useMemo(() => silenceOf(connection, feedLostSince), [connection, feedLostSince]);
  const all = useMemo(
    () => inOrder(nodes.values()).map((node) => shown(node, silence)),
    [nodes, silence],
  );
  const visible = useMemo(
    () => all.filter((each) => matches(each, filter)).map(({ node }) => node),
    [all, filter],
  );

  if (version === null) return <EmptyState icon={<Loader />} title={t("empty.loading")} />;
  if (all.length === 0) return <NoNodes />;
  return (
    <Stack gap="md">
      <NodeFilterBar summary={summarize(all)} filter={filter} onChange={setFilter} />
      {visible.length === 0 ? (
        <EmptyState title={t("filter.none")} hint={t("filter.noneHint", { count: all.length })} />
      ) : (
        <NodeGrid nodes={visible} silence={silence} />
      )}
    </Stack>
  );
}
