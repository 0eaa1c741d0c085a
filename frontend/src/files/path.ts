/** The path of a name in a directory. */
export function pathIn(directory: string, name: string): string {
  return `${directory.replace(/\/+$/, "")}/${name}`;
}

/** A part of a path, and the path up to there. */
export interface Crumb {
  name: string;
  path: string;
}

/** The root that a directory lies in, and each directory below it down to itself. */
export function crumbsOf(path: string, roots: readonly string[]): Crumb[] {
  const root = [...roots]
    .sort((a, b) => b.length - a.length)
    .find((each) => path === each || path.startsWith(pathIn(each, "")));
  if (root === undefined) return [{ name: path, path }];
  const crumbs = [{ name: root, path: root }];
  for (const name of path.slice(root.length).split("/")) {
    const above = crumbs.at(-1)?.path ?? root;
    if (name !== "") crumbs.push({ name, path: pathIn(above, name) });
  }
  return crumbs;
}
