import { create } from "zustand";
import type { Session } from "../api/records";
import { fetchSession } from "../api/session";

/** Who the server takes this browser for; null before it said so, and while it wants a token. */
export const useSession = create<{ session: Session | null }>(() => ({ session: null }));

/** Whether this browser may change anything, as far as the server said. */
export function useMayChange(): boolean {
  return useSession(({ session }) => session !== null && session.role !== "viewer");
}

/** Ask the server again. True where it wants a token first; false too where it cannot be asked. */
export async function refreshSession(): Promise<boolean> {
  try {
    const session = await fetchSession();
    useSession.setState({ session });
    return session === null;
  } catch {
    // The socket finds that too, and the page says so.
    return false;
  }
}
