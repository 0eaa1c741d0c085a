import type { MouseEvent } from "react";
import { useTranslation } from "react-i18next";
import { isActive } from "../casts/list";
import { formatNumber } from "../format/quantity";
import { useLive } from "../stores/live";
import { pathOf, showView, useView, type View } from "../stores/view";
import classes from "./ViewSwitch.module.css";

/** The ways to the nodes and to the casts, of which it says how many have not ended. */
export function ViewSwitch() {
  const { t } = useTranslation();
  const active = useLive(({ state }) => [...state.casts.values()].filter(isActive).length);
  return (
    <nav className={classes.views} aria-label={t("view.label")}>
      <ViewLink view="nodes" count={0} />
      <ViewLink view="casts" count={active} />
    </nav>
  );
}

function ViewLink({ view, count }: { view: View; count: number }) {
  const { t, i18n } = useTranslation();
  const isCurrent = useView() === view;
  const follow = (event: MouseEvent) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    showView(view);
  };
  return (
    <a
      href={pathOf(view)}
      className={classes.view}
      aria-current={isCurrent ? "page" : undefined}
      onClick={follow}
    >
      {t(`view.${view}`)}
      {count > 0 && (
        <span className={classes.count} title={t("view.active", { count })}>
          {formatNumber(count, i18n.language)}
        </span>
      )}
    </a>
  );
}
