import { Button, Checkbox, Group, Text, Title, UnstyledButton } from "@mantine/core";
import { useLocalStorage } from "@mantine/hooks";
import {
  IconChevronDown,
  IconChevronRight,
  IconPlugConnected,
  IconRadar,
} from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Cluster } from "../api/records";
import { clustersInOrder } from "../clusters/order";
import { useDiscovery } from "../clusters/useDiscovery";
import type { Silence } from "../nodes/shown";
import { useLive } from "../stores/live";
import { useMayChange } from "../stores/session";
import { ClusterCard } from "./ClusterCard";
import classes from "./ClustersPanel.module.css";
import { ConnectDialog } from "./ConnectDialog";
import { DisconnectDialog } from "./DisconnectDialog";
import { DiscoveryResult } from "./DiscoveryResult";

type Dialog =
  | { kind: "connect"; cluster: Cluster | null }
  | { kind: "disconnect"; cluster: Cluster };

/** The clusters: which there are, how each stands, and how to find and connect more. */
export function ClustersPanel({ silence }: { silence: Silence | null }) {
  const { t } = useTranslation();
  const known = useLive((live) => live.state.clusters);
  const clusters = useMemo(() => clustersInOrder(known.values()), [known]);
  const mayChange = useMayChange();
  const { discovery, start, forget } = useDiscovery();
  const [isOpen, setIsOpen] = useLocalStorage({
    key: "castray.clusters-open",
    defaultValue: true,
    getInitialValueInEffect: false,
  });
  const [dialog, setDialog] = useState<Dialog | null>(null);
  const close = () => setDialog(null);

  const external = clusters.filter((cluster) => cluster.source === "external");
  return (
    <section className={classes.panel} aria-label={t("clusters.title")} data-testid="clusters">
      <Group gap="sm">
        <PanelTitle
          external={external}
          isOpen={isOpen}
          onToggle={() => setIsOpen((before) => !before)}
        />
        {mayChange && (
          <PanelControls
            isLooking={discovery.phase === "running"}
            onDiscover={(allNodes) => void start(allNodes)}
            onConnect={() => setDialog({ kind: "connect", cluster: null })}
          />
        )}
      </Group>
      <DiscoveryResult discovery={discovery} onClose={forget} />
      {external.length > 0 && isOpen && (
        <div className={classes.cards}>
          {clusters.map((cluster) => (
            <ClusterCard
              key={cluster.id}
              cluster={cluster}
              isSilent={silence !== null}
              mayChange={mayChange}
              onConnect={() => setDialog({ kind: "connect", cluster })}
              onDisconnect={() => setDialog({ kind: "disconnect", cluster })}
            />
          ))}
        </div>
      )}
      {dialog?.kind === "connect" && <ConnectDialog cluster={dialog.cluster} onClose={close} />}
      {dialog?.kind === "disconnect" && (
        <DisconnectDialog cluster={dialog.cluster} onClose={close} />
      )}
    </section>
  );
}

interface TitleProps {
  external: Cluster[];
  isOpen: boolean;
  onToggle(): void;
}

/** The heading, with how many external clusters there are in each state; it folds the cards. */
function PanelTitle({ external, isOpen, onToggle }: TitleProps) {
  const { t } = useTranslation();
  const title = (
    <Title order={2} size="h5">
      {t("clusters.title")}
    </Title>
  );
  if (external.length === 0) {
    return (
      <Group gap="sm" flex={1}>
        {title}
        <Text size="sm" c="dimmed">
          {t("clusters.none")}
        </Text>
      </Group>
    );
  }
  const counts = (["connected", "lost", "found"] as const).flatMap((state) => {
    const count = external.filter((cluster) => cluster.state === state).length;
    return count === 0 ? [] : [`${count} ${t(`clusters.state.${state}`)}`];
  });
  const Chevron = isOpen ? IconChevronDown : IconChevronRight;
  return (
    <UnstyledButton className={classes.title} aria-expanded={isOpen} onClick={onToggle}>
      <Chevron size={16} aria-hidden />
      {title}
      <Text size="sm" c="dimmed">
        {counts.join(" · ")}
      </Text>
    </UnstyledButton>
  );
}

interface ControlsProps {
  isLooking: boolean;
  onDiscover(allNodes: boolean): void;
  onConnect(): void;
}

function PanelControls({ isLooking, onDiscover, onConnect }: ControlsProps) {
  const { t } = useTranslation();
  const [allNodes, setAllNodes] = useState(false);
  return (
    <Group gap="xs">
      <Checkbox
        size="xs"
        label={t("discovery.allNodes")}
        title={t("discovery.allNodesHint")}
        checked={allNodes}
        onChange={(event) => setAllNodes(event.currentTarget.checked)}
      />
      <Button
        size="xs"
        variant="default"
        leftSection={<IconRadar size={16} />}
        loading={isLooking}
        onClick={() => onDiscover(allNodes)}
      >
        {t("discovery.start")}
      </Button>
      <Button
        size="xs"
        variant="default"
        leftSection={<IconPlugConnected size={16} />}
        onClick={onConnect}
      >
        {t("connect.open")}
      </Button>
    </Group>
  );
}
