import { create } from "zustand";
import { fetchSession, type Session } from "../api/session";

/** Who the server takes this browser for; null before it said so. */
export const useSession = create<{ session: Session | null }>(() => ({ session: null }));

/** Ask the server again; null where it cannot be reached, and then nothing changes. */
export async function refreshSession(): Promise<Session | null> {
  try {
    const session = await fetchSession();
    useSession.setState({ session });
    return session;
  } catch {
    // Unreachable is what the socket finds too, and shows.
    return null;
  }
}
