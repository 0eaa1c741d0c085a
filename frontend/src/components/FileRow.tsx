import { IconFile, IconFileUnknown, IconFolder, IconLink } from "@tabler/icons-react";
import type { ReactNode, Ref } from "react";
import { useTranslation } from "react-i18next";
import type { FileStatus } from "../api/records";
import { formatBytes } from "../format/quantity";
import { formatTime } from "../format/time";
import classes from "./FileBrowser.module.css";

const ICONS = { directory: IconFolder, file: IconFile, link: IconLink, other: IconFileUnknown };

interface Props {
  ref: Ref<HTMLLIElement>;
  /** Its place in the list, and how far down that is. */
  index: number;
  topPx: number;
  status: FileStatus;
  isChosen: boolean;
  /** Where it is a way to something; else it is only shown. */
  onFollow: (() => void) | undefined;
  children: ReactNode;
}

/** One name in a directory: what it is, how large, how old, and what can be done with it. */
export function FileRow({ ref, index, topPx, status, isChosen, onFollow, children }: Props) {
  const { i18n } = useTranslation();
  const Icon = ICONS[status.kind];
  const modified = new Date(status.modified_ms);
  return (
    <li
      ref={ref}
      className={classes.entry}
      style={{ transform: `translateY(${topPx}px)` }}
      data-index={index}
      data-kind={status.kind}
      data-chosen={isChosen}
    >
      <button
        type="button"
        className={classes.name}
        disabled={onFollow === undefined}
        aria-pressed={status.kind === "directory" ? undefined : isChosen}
        onClick={onFollow}
      >
        <Icon size={16} stroke={1.8} aria-hidden />
        <span>{status.name}</span>
      </button>
      <span className={classes.size}>
        {status.kind === "file" && formatBytes(status.size_bytes, i18n.language)}
      </span>
      <time className={classes.time} dateTime={modified.toISOString()}>
        {formatTime(modified, i18n.language)}
      </time>
      <span className={classes.actions}>{children}</span>
    </li>
  );
}
