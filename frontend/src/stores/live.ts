import { create } from "zustand";
import { type Connection, LiveSocket } from "../api/socket";
import { EMPTY_STATE, type State } from "../api/state";
import { setServerTime } from "./clock";
import { paced } from "./pace";
import { refreshSession } from "./session";

/** A thousand nodes that change each second must not render the page a thousand times. */
const RENDER_INTERVAL_MS = 100;

interface Live {
  state: State;
  connection: Connection;
  /** Since when the server hears nothing of its registry; null while it does. */
  feedLostSince: string | null;
}

/** What the page knows of the server, and how. */
export const useLive = create<Live>(() => ({
  state: EMPTY_STATE,
  connection: { phase: "connecting", attempt: 0, heardAt: null },
  feedLostSince: null,
}));

/** The page's one socket; `connect` starts it. */
export const liveSocket = new LiveSocket(
  {
    onConnection: (connection) => useLive.setState({ connection }),
    onState: paced((state) => useLive.setState({ state }), RENDER_INTERVAL_MS),
    onFeedLostSince: (feedLostSince) => useLive.setState({ feedLostSince }),
    onServerTime: setServerTime,
  },
  {
    open: (sinceVersion) => new WebSocket(socketUrl(sinceVersion)),
    isLocked: refreshSession,
    random: Math.random,
  },
);

function socketUrl(sinceVersion: string | null): URL {
  const url = new URL("/ws?mode=delta", window.location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  if (sinceVersion !== null) url.searchParams.set("since", sinceVersion);
  return url;
}
