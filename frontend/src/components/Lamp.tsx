import type { WorkStatus } from "../api/records";
import classes from "./Lamp.module.css";

/** One lamp in the colour of its status, lit unless said otherwise; the unknown one is hollow. */
export function Lamp({ color, isLit = true }: { color: WorkStatus; isLit?: boolean }) {
  return <span className={classes.lamp} data-color={color} data-lit={isLit} aria-hidden />;
}
