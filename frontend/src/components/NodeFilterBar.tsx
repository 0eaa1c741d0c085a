import { CloseButton, Group, TextInput, VisuallyHidden } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { NodeState, WorkStatus } from "../api/records";
import { NO_FILTER, type NodeFilter } from "../nodes/filter";
import type { Summary } from "../nodes/summary";
import { FilterTile } from "./FilterTile";
import { Lamp } from "./Lamp";
import classes from "./NodeFilterBar.module.css";
import { StateIcon } from "./StateIcon";

const STATES: NodeState[] = ["alive", "stale", "dead"];
const WORKS: WorkStatus[] = ["idle", "detecting", "sending", "unknown"];

interface Props {
  summary: Summary;
  filter: NodeFilter;
  onChange(filter: NodeFilter): void;
}

/** The counts of everything, each of which also filters; and a search. */
export function NodeFilterBar({ summary, filter, onChange }: Props) {
  const { t } = useTranslation();
  const { text, ...picked } = filter;
  const isFiltered = text !== "" || Object.values(picked).some((pick) => pick !== null);
  return (
    <div className={classes.bar}>
      <fieldset className={classes.tiles}>
        <VisuallyHidden component="legend">{t("summary.label")}</VisuallyHidden>
        <FilterTile
          label={t("summary.all")}
          count={summary.total}
          isPressed={!isFiltered}
          onPress={() => onChange(NO_FILTER)}
        />
        {STATES.map((state) => (
          <FilterTile
            key={state}
            icon={<StateIcon state={state} />}
            label={t(`state.${state}`)}
            count={summary.states[state]}
            isPressed={filter.state === state}
            onPress={() => onChange({ ...filter, state: filter.state === state ? null : state })}
          />
        ))}
        {WORKS.map((work) => (
          <FilterTile
            key={work}
            icon={<Lamp color={work} />}
            label={t(`work.${work}`)}
            count={summary.works[work]}
            isPressed={filter.work === work}
            onPress={() => onChange({ ...filter, work: filter.work === work ? null : work })}
          />
        ))}
      </fieldset>
      <Group className={classes.search}>
        <TextInput
          type="search"
          aria-label={t("filter.search")}
          placeholder={t("filter.search")}
          leftSection={<IconSearch size={16} />}
          rightSection={
            isFiltered && (
              <CloseButton aria-label={t("filter.clear")} onClick={() => onChange(NO_FILTER)} />
            )
          }
          value={filter.text}
          onChange={(event) => onChange({ ...filter, text: event.currentTarget.value })}
          flex={1}
        />
      </Group>
    </div>
  );
}
