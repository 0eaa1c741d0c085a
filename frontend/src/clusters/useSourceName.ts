import { useTranslation } from "react-i18next";
import { parseSource } from "./source";

const METHODS = ["process_scan", "ray_status", "dashboard_scan", "temp_dir", "manual"] as const;

/** Tells what a source is called in the page's language, with its node where it has one. */
export function useSourceName(): (source: string) => string {
  const { t } = useTranslation();
  return (source) => {
    const { method, node } = parseSource(source);
    const known = METHODS.find((each) => each === method);
    const name = known === undefined ? method : t(`clusters.sources.${known}`);
    return node === null ? name : `${name} @ ${node}`;
  };
}
