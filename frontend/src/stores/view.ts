import { useSyncExternalStore } from "react";

/** What of the page is shown; each has an address of its own. */
export type View = "nodes" | "casts";

const PATHS: Readonly<Record<View, string>> = { nodes: "/ui", casts: "/ui/casts" };
const CHANGED = "castray-view";

export function pathOf(view: View): string {
  return PATHS[view];
}

export function useView(): View {
  return useSyncExternalStore(subscribe, currentView);
}

/** Go there; the browser's way back leads here again. */
export function showView(view: View): void {
  if (currentView() !== view) window.history.pushState(null, "", PATHS[view]);
  window.dispatchEvent(new Event(CHANGED));
}

function currentView(): View {
  return window.location.pathname.startsWith(PATHS.casts) ? "casts" : "nodes";
}

function subscribe(listener: () => void): () => void {
  for (const event of ["popstate", CHANGED]) window.addEventListener(event, listener);
  return () => {
    for (const event of ["popstate", CHANGED]) window.removeEventListener(event, listener);
  };
}
