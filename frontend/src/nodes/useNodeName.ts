import { useLive } from "../stores/live";

/** What the node with that key is called; the end of its key once the node is gone. */
export function useNodeName(key: string): string {
  return useLive((live) => live.state.nodes.get(key)?.name ?? shortened(key));
}

/** As the API shortens the ids of nodes. */
function shortened(key: string): string {
  return key.slice(key.indexOf("/") + 1).slice(-8);
}
