import type { ChangesMessage, FeedMessage, HeartbeatMessage } from "./records";

/** What the server says on `/ws?mode=delta`. */
export type Message = ChangesMessage | FeedMessage | HeartbeatMessage;

const TYPES: ReadonlySet<unknown> = new Set<Message["type"]>([
  "snapshot",
  "delta",
  "feed",
  "heartbeat",
]);

/** The message in a frame's text, or null where it is one that this page does not know. */
export function parseMessage(text: string): Message | null {
  try {
    const message = JSON.parse(text);
    return TYPES.has(message?.type) ? message : null;
  } catch {
    return null;
  }
}
