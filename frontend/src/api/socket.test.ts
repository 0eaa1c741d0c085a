import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Changes } from "./records";
import { sampleChanges } from "./samples";
import { type Connection, LiveSocket } from "./socket";

/** The server's end of one connection. */
class FakeSocket {
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;
  isClosed = false;
  readonly sent: string[] = [];
  readonly since: string | null;

  constructor(since: string | null) {
    this.since = since;
  }

  send(text: string): void {
    this.sent.push(text);
  }

  close(): void {
    this.isClosed = true;
  }

  say(type: string, data: unknown): void {
    this.onmessage?.({ data: JSON.stringify({ type, data }) });
  }

  hangUp(): void {
    this.onclose?.();
  }
}

let sockets: FakeSocket[];
let connections: Connection[];
let versions: (string | null)[];
let isLocked: boolean;
let live: LiveSocket;

beforeEach(() => {
  vi.useFakeTimers();
  [sockets, connections, versions, isLocked] = [[], [], [], false];
  live = new LiveSocket(
    {
      onConnection: (connection) => connections.push(connection),
      onState: (state) => versions.push(state.version),
      onFeedLostSince: () => {},
      onServerTime: () => {},
    },
    {
      open: (since) => {
        const socket = new FakeSocket(since);
        sockets.push(socket);
        return socket as unknown as WebSocket;
      },
      isLocked: async () => isLocked,
      random: () => 0.5,
    },
  );
  live.connect();
});

afterEach(() => vi.useRealTimers());

function newest(): FakeSocket {
  const socket = sockets.at(-1);
  if (socket === undefined) throw new Error("nothing was opened");
  return socket;
}

function sayChanges(fields: Partial<Changes>): void {
  newest().say(fields.since ? "delta" : "snapshot", sampleChanges(fields));
}

test("a snapshot and the deltas that follow it are taken in", () => {
  sayChanges({ version: "1.1" });
  sayChanges({ version: "1.2", since: "1.1" });

  expect(versions).toEqual(["1.1", "1.2"]);
  expect(connections.at(-1)).toEqual({ phase: "live" });
});

test("after a gap it asks once from the version it holds, and goes on from the answer", () => {
  sayChanges({ version: "1.1" });

  sayChanges({ version: "1.4", since: "1.3" });
  sayChanges({ version: "1.5", since: "1.4" });
  sayChanges({ version: "1.5", since: "1.1" });

  expect(newest().sent).toEqual(['{"type":"resume","data":{"version":"1.1"}}']);
  expect(versions).toEqual(["1.1", "1.5"]);
});

test("a closed socket is opened again, from the version that is held", () => {
  sayChanges({ version: "1.7" });
  newest().hangUp();
  expect(connections.at(-1)).toMatchObject({ phase: "waiting", attempt: 1 });

  vi.advanceTimersByTime(5_000);

  expect(sockets.map((socket) => socket.since)).toEqual([null, "1.7"]);
  expect(connections.at(-1)).toMatchObject({ phase: "connecting", attempt: 1 });
});

test("it reconnects for ever, and counts from the start again once the server spoke", () => {
  for (let attempt = 1; attempt <= 40; attempt += 1) {
    newest().hangUp();
    expect(connections.at(-1)).toMatchObject({ phase: "waiting", attempt });
    vi.advanceTimersByTime(5_000);
  }

  newest().say("heartbeat", { now: "2025-11-20T10:30:00+08:00" });
  newest().hangUp();

  expect(connections.at(-1)).toMatchObject({ phase: "waiting", attempt: 1 });
});

test("a socket that is silent for 8 s is dead", () => {
  sayChanges({ version: "1.1" });
  vi.advanceTimersByTime(7_000);
  newest().say("heartbeat", { now: "2025-11-20T10:30:00+08:00" });
  vi.advanceTimersByTime(7_000);
  expect(connections.at(-1)).toEqual({ phase: "live" });

  vi.advanceTimersByTime(1_000);

  expect(sockets[0]?.isClosed).toBe(true);
  expect(connections.at(-1)).toMatchObject({ phase: "waiting", attempt: 1 });
});

test("it says when the server was last heard", () => {
  vi.setSystemTime(1_000);
  sayChanges({ version: "1.1" });
  vi.setSystemTime(4_000);

  newest().hangUp();

  expect(connections.at(-1)).toMatchObject({ heardAt: 1_000 });
});

test("where the server wants a token it waits for one instead of trying on", async () => {
  isLocked = true;
  newest().hangUp();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(connections.at(-1)).toEqual({ phase: "locked" });
  expect(sockets).toHaveLength(1);

  live.connect();

  expect(sockets).toHaveLength(2);
});

test("who cannot wait tries at once", () => {
  newest().hangUp();

  live.retry();
  live.retry();

  expect(sockets).toHaveLength(2);
});

test("what an abandoned socket still says is not heard", () => {
  const abandoned = newest();
  live.connect();

  abandoned.say("snapshot", sampleChanges({ version: "9.9" }));

  expect(versions).toEqual([]);
});
