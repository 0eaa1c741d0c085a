/** How many colours page.css has for external clusters. */
const COLORS = 8;

/** A cluster's colour, the same wherever and whenever it is shown; ids that follow differ. */
export function clusterColor(id: string): string {
  if (id === "home") return "var(--cluster-home)";
  const hash = [...id].reduce((sum, character) => (sum * 31 + character.charCodeAt(0)) >>> 0, 0);
  return `var(--cluster-${hash % COLORS})`;
}
