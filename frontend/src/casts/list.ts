import type { Cast, CastAction, CastState } from "../api/records";

const ACTIONS: Readonly<Record<CastState, readonly CastAction[]>> = {
  queued: ["pause", "cancel"],
  running: ["pause", "cancel"],
  paused: ["resume", "cancel"],
  completed: [],
  partial: ["retry"],
  failed: ["retry"],
  cancelled: ["retry"],
};

/** What can be done with a cast in that state. */
export function actionsOn(state: CastState): readonly CastAction[] {
  return ACTIONS[state];
}

/** Whether something is still to come of it. */
export function isActive({ state }: { state: CastState }): boolean {
  return state === "queued" || state === "running" || state === "paused";
}

/**
 * Each cast once, the newest first: as the server tells it now, else as it was last read. All that
 * have not ended are told, so that what was read of one that is not is of no use.
 */
export function castsInOrder(told: ReadonlyMap<string, Cast>, read: Iterable<Cast>): Cast[] {
  const ended = [...read].filter((cast) => !isActive(cast));
  const casts = new Map(ended.map((cast) => [cast.id, cast]));
  for (const cast of told.values()) casts.set(cast.id, cast);
  return [...casts.values()].sort(
    (a, b) => Date.parse(b.created) - Date.parse(a.created) || (a.id < b.id ? 1 : -1),
  );
}
