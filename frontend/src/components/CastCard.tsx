import { UnstyledButton } from "@mantine/core";
import { IconArrowRight, IconChevronDown, IconChevronRight } from "@tabler/icons-react";
import { memo, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Cast } from "../api/records";
import { isActive } from "../casts/list";
import { useNodeName } from "../nodes/useNodeName";
import { Age } from "./Age";
import { CastActions } from "./CastActions";
import classes from "./CastCard.module.css";
import { CastProgress } from "./CastProgress";
import { CastStateMark } from "./CastStateMark";
import { CastTargets } from "./CastTargets";

/** So many targets are shown without being asked for. */
const FEW_TARGETS = 8;

interface Props {
  cast: Cast;
  isSilent: boolean;
  mayChange: boolean;
}

/** Everything known of one cast, and what can be done with it. */
export const CastCard = memo(({ cast, isSilent, mayChange }: Props) => {
  const { t } = useTranslation();
  const titleId = useId();
  const isSingle = cast.targets.length === 1;
  const [isOpen, setIsOpen] = useState(
    () => cast.state !== "completed" && cast.targets.length <= FEW_TARGETS,
  );
  return (
    <article
      className={classes.card}
      aria-labelledby={titleId}
      data-testid="cast"
      data-cast={cast.id}
      data-state={cast.state}
    >
      <header className={classes.header}>
        <Title id={titleId} cast={cast} />
        <span className={classes.state}>
          <CastStateMark state={isSilent && isActive(cast) ? "unknown" : cast.state} />
        </span>
      </header>
      {!isSingle && <CastProgress of={cast} label={t("casts.all")} isSilent={isSilent} />}
      {isSingle && <CastTargets targets={cast.targets} isSilent={isSilent} />}
      <footer className={classes.footer}>
        {!isSingle && (
          <TargetsToggle
            cast={cast}
            isOpen={isOpen}
            onToggle={() => setIsOpen((before) => !before)}
          />
        )}
        <span>
          {cast.ended === null ? (
            <Age since={cast.created} form="for" />
          ) : (
            <Age since={cast.ended} form="ago" />
          )}
        </span>
        <span className={classes.id} title={t("casts.id")}>
          {cast.id}
        </span>
        {mayChange && <CastActions cast={cast} />}
      </footer>
      {!isSingle && isOpen && <CastTargets targets={cast.targets} isSilent={isSilent} />}
    </article>
  );
});

/** What goes where from. */
function Title({ id, cast }: { id: string; cast: Cast }) {
  const { t } = useTranslation();
  const source = useNodeName(cast.source);
  const first = useNodeName(cast.targets[0]?.node ?? "");
  const target =
    cast.targets.length === 1 ? first : t("casts.targets", { count: cast.targets.length });
  return (
    <h3 id={id} className={classes.title}>
      <span>
        <strong>{source}</strong> {cast.request.source.path}
      </span>
      <IconArrowRight size={16} aria-label={t("casts.to")} className={classes.arrow} />
      <span>
        <strong>{target}</strong> {cast.request.destination}
      </span>
    </h3>
  );
}

interface ToggleProps {
  cast: Cast;
  isOpen: boolean;
  onToggle(): void;
}

/** How many of its targets stand how; it folds them. */
function TargetsToggle({ cast, isOpen, onToggle }: ToggleProps) {
  const { t } = useTranslation();
  const Chevron = isOpen ? IconChevronDown : IconChevronRight;
  const counts = new Map<string, number>();
  for (const { state } of cast.targets) {
    const word = t(`casts.state.${state}`);
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const words = [...counts].map(([word, count]) => `${count} ${word}`).join(" · ");
  return (
    <UnstyledButton className={classes.toggle} aria-expanded={isOpen} onClick={onToggle}>
      <Chevron size={14} aria-hidden />
      {`${t("casts.targets", { count: cast.targets.length })}: ${words}`}
    </UnstyledButton>
  );
}
