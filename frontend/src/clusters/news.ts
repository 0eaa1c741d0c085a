import type { Notice } from "../api/records";
import type { State } from "../api/state";

/** After a long sleep, what happened first is no news. */
const MOST = 4;

/** What happened between two states; what was told before the page was there is no news. */
export function newsBetween(before: State, now: State): Notice[] {
  if (before.version === null || before.notices === now.notices) return [];
  return [...now.notices.values()].filter((notice) => !before.notices.has(notice.key)).slice(-MOST);
}
