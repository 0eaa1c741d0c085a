import { UnstyledButton } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { formatNumber } from "../format/quantity";
import classes from "./FilterTile.module.css";

interface Props {
  label: string;
  count: number;
  icon?: ReactNode;
  isPressed: boolean;
  onPress(): void;
}

/** A count that filters by what it counts. */
export function FilterTile({ label, count, icon, isPressed, onPress }: Props) {
  const { i18n } = useTranslation();
  return (
    <UnstyledButton
      className={classes.tile}
      aria-pressed={isPressed}
      data-empty={count === 0}
      onClick={onPress}
    >
      {icon}
      <span className={classes.label}>{label}</span>
      <span className={classes.count}>{formatNumber(count, i18n.language)}</span>
    </UnstyledButton>
  );
}
