import { ActionIcon, Loader, NativeSelect, Text } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useMemo, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { DirectoryListing, FileStatus } from "../api/records";
import { crumbsOf, pathIn } from "../files/path";
import type { Listing } from "../files/useListing";
import classes from "./FileBrowser.module.css";
import { FileRow } from "./FileRow";

/** Only a first guess: each row is measured once it is there. */
const ROW_HEIGHT_PX = 32;

interface Props {
  of: Listing;
  /** Go to a directory. */
  onOpen(path: string): void;
  /** Pick a file; without it, files are only shown. */
  onChoose?(path: string): void;
  chosen?: string;
  actions?(path: string, status: FileStatus): ReactNode;
}

/** What lies in a directory of a node, and the way to the others. */
export function FileBrowser({ of, onOpen, ...row }: Props) {
  const { t } = useTranslation();
  const { listing, error, isBusy, readAgain } = of;
  return (
    <div className={classes.browser} data-testid="files" aria-busy={isBusy}>
      <div className={classes.where}>
        {listing !== null && <Crumbs listing={listing} onOpen={onOpen} />}
        {isBusy ? (
          <Loader size="xs" className={classes.again} />
        ) : (
          <ActionIcon
            variant="subtle"
            color="gray"
            size="sm"
            className={classes.again}
            aria-label={t("files.again")}
            title={t("files.again")}
            onClick={readAgain}
          >
            <IconRefresh size={16} />
          </ActionIcon>
        )}
      </div>
      {error !== null && (
        <Text size="sm" role="alert" p="xs">
          {error}
        </Text>
      )}
      {listing !== null && error === null && <Entries listing={listing} onOpen={onOpen} {...row} />}
    </div>
  );
}

function Crumbs({ listing, onOpen }: { listing: DirectoryListing; onOpen(path: string): void }) {
  const { t } = useTranslation();
  const [root, ...below] = crumbsOf(listing.path, listing.roots);
  return (
    <nav className={classes.crumbs} aria-label={t("files.where")}>
      {listing.roots.length > 1 && (
        <NativeSelect
          size="xs"
          aria-label={t("files.root")}
          data={listing.roots}
          value={root?.path ?? ""}
          onChange={(event) => onOpen(event.currentTarget.value)}
        />
      )}
      {[...(listing.roots.length > 1 || root === undefined ? [] : [root]), ...below].map(
        (crumb) => (
          <button
            key={crumb.path}
            type="button"
            className={classes.crumb}
            onClick={() => onOpen(crumb.path)}
          >
            {crumb.name}
          </button>
        ),
      )}
    </nav>
  );
}

type EntriesProps = Omit<Props, "of"> & { listing: DirectoryListing };

/** Only rows in or near the view exist, so that ten thousand names stay light. */
function Entries({ listing, onOpen, onChoose, chosen, actions }: EntriesProps) {
  const { t } = useTranslation();
  const scroller = useRef<HTMLDivElement>(null);
  const entries = useMemo(() => inOrder(listing.entries), [listing]);
  const virtual = useVirtualizer({
    count: entries.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT_PX,
    overscan: 10,
  });
  if (entries.length === 0) {
    return (
      <Text size="sm" c="dimmed" p="xs">
        {t("files.empty")}
      </Text>
    );
  }
  return (
    <div ref={scroller} className={classes.scroller}>
      <ul className={classes.entries} style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const status = entries[index];
          if (status === undefined) return null;
          const path = pathIn(listing.path, status.name);
          const follow = status.kind === "directory" ? onOpen : onChoose;
          return (
            <FileRow
              key={status.name}
              ref={virtual.measureElement}
              index={index}
              topPx={start}
              status={status}
              isChosen={path === chosen}
              onFollow={follow === undefined ? undefined : () => follow(path)}
            >
              {actions?.(path, status)}
            </FileRow>
          );
        })}
      </ul>
      {listing.is_truncated && <p className={classes.more}>{t("files.truncated")}</p>}
    </div>
  );
}

const NAMES = new Intl.Collator("en", { numeric: true });

/** Directories first, then by name: M2 before M10. */
function inOrder(entries: readonly FileStatus[]): FileStatus[] {
  return [...entries].sort(
    (a, b) =>
      Number(b.kind === "directory") - Number(a.kind === "directory") ||
      NAMES.compare(a.name, b.name),
  );
}
