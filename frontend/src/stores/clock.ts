import { useSyncExternalStore } from "react";

/** The server's clock minus the browser's: ages are told by the clock that set the times. */
let offsetMs = 0;

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** Take over the server's time, as it said it just now. */
export function setServerTime(now: Date): void {
  offsetMs = now.getTime() - Date.now();
}

/** Full seconds since the epoch by the server's clock; renders again each second. */
export function useServerSeconds(): number {
  return useSyncExternalStore(subscribe, serverSeconds);
}

function serverSeconds(): number {
  return Math.floor((Date.now() + offsetMs) / 1000);
}

/** One timer for all ages on the page, while there are any. */
function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    for (const each of listeners) each();
  }, 1000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}
