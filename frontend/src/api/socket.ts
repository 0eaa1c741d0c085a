import { backoffMs } from "./backoff";
import { type Message, parseMessage } from "./messages";
import type { Changes } from "./records";
import { applyChanges, EMPTY_STATE, type State } from "./state";

/** How the page stands with the server; `heardAt` is when it last spoke, by the browser's clock. */
export type Connection =
  | { phase: "live" }
  | { phase: "locked" }
  | { phase: "connecting"; attempt: number; heardAt: number | null }
  | { phase: "waiting"; attempt: number; heardAt: number | null; retryAt: number };

/** What a socket tells its owner. */
export interface Listener {
  onConnection(connection: Connection): void;
  onState(state: State): void;
  onFeedLostSince(since: string | null): void;
  onServerTime(now: Date): void;
}

/** What a socket needs of the world. */
export interface Surroundings {
  open(sinceVersion: string | null): WebSocket;
  /** Whether the server wants a token first; false where it cannot be asked. */
  isLocked(): Promise<boolean>;
  random(): number;
}

/** The server speaks every 3 s; a socket as quiet as this is dead, whatever TCP believes. */
const SILENCE_LIMIT_MS = 8_000;

/** Holds the server's state over one WebSocket at a time, and reconnects for ever. */
export class LiveSocket {
  readonly #listener: Listener;
  readonly #surroundings: Surroundings;
  #socket: WebSocket | null = null;
  #state = EMPTY_STATE;
  #phase: Connection["phase"] = "connecting";
  #attempt = 0;
  #heardAt: number | null = null;
  #isResuming = false;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(listener: Listener, surroundings: Surroundings) {
    this.#listener = listener;
    this.#surroundings = surroundings;
  }

  /** Connect, whatever was before. */
  connect(): void {
    this.#attempt = 0;
    this.#connect();
  }

  /** Try again now instead of later. */
  retry(): void {
    if (this.#phase === "waiting") this.#connect();
  }

  /** Hang up and stay so until `connect`, because the server wants a token. */
  lock(): void {
    this.#drop();
    this.#tell({ phase: "locked" });
  }

  #connect(): void {
    this.#drop();
    this.#tell({ phase: "connecting", attempt: this.#attempt, heardAt: this.#heardAt });
    const socket = this.#surroundings.open(this.#state.version);
    socket.onmessage = (event) => this.#hear(event.data);
    socket.onclose = () => this.#lose();
    this.#socket = socket;
    this.#watchSilence();
  }

  #hear(text: string): void {
    const message = parseMessage(text);
    this.#attempt = 0;
    this.#heardAt = Date.now();
    this.#watchSilence();
    if (message !== null) this.#handle(message);
    if (this.#phase !== "live") this.#tell({ phase: "live" });
  }

  #handle(message: Message): void {
    if (message.type === "heartbeat") this.#listener.onServerTime(new Date(message.data.now));
    else if (message.type === "feed") this.#listener.onFeedLostSince(message.data.lost_since);
    else this.#take(message.data);
  }

  #take(changes: Changes): void {
    const state = applyChanges(this.#state, changes);
    if (state !== null) {
      this.#isResuming = false;
      this.#state = state;
      this.#listener.onState(state);
    } else if (!this.#isResuming) {
      this.#isResuming = true;
      const resume = { type: "resume", data: { version: this.#state.version } };
      this.#socket?.send(JSON.stringify(resume));
    }
  }

  #watchSilence(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#lose(), SILENCE_LIMIT_MS);
  }

  #lose(): void {
    this.#drop();
    this.#attempt += 1;
    const delay = backoffMs(this.#attempt, this.#surroundings.random());
    const retryAt = Date.now() + delay;
    this.#tell({ phase: "waiting", attempt: this.#attempt, heardAt: this.#heardAt, retryAt });
    this.#retry = setTimeout(() => this.#connect(), delay);
    this.#surroundings.isLocked().then((locked) => {
      if (locked && this.#phase !== "live") this.lock();
    });
  }

  /** Let go of the socket without waiting: closing a dead one can take minutes. */
  #drop(): void {
    clearTimeout(this.#silence);
    clearTimeout(this.#retry);
    if (this.#socket === null) return;
    this.#socket.onmessage = null;
    this.#socket.onclose = null;
    this.#socket.close();
    this.#socket = null;
    this.#isResuming = false;
  }

  #tell(connection: Connection): void {
    this.#phase = connection.phase;
    this.#listener.onConnection(connection);
  }
}
