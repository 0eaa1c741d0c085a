import { useTranslation } from "react-i18next";
import type { Load, Node } from "../api/records";
import { formatGib, formatNumber } from "../format/quantity";
import { gpuPercent } from "../nodes/gpu";
import { LoadRing } from "./LoadRing";
import classes from "./LoadRings.module.css";

interface Props {
  load: Load | null;
  resources: Node["resources"];
}

/** What was measured of a node's cpu, memory and GPUs, beside what there is of each. */
export function LoadRings({ load, resources }: Props) {
  const { t, i18n } = useTranslation();
  return (
    <div className={classes.rings}>
      <LoadRing name={t("load.cpu")} percent={load?.cpu_percent ?? null}>
        {t("load.cores", { count: resources.cpu_cores })}
      </LoadRing>
      <LoadRing name={t("load.memory")} percent={load?.memory_percent ?? null}>
        {load?.memory_total_bytes != null && formatGib(load.memory_total_bytes, i18n.language)}
      </LoadRing>
      <LoadRing name={t("load.gpu")} percent={gpuPercent(load)}>
        {resources.gpu_count > 0 && `× ${formatNumber(resources.gpu_count, i18n.language, 2)}`}
      </LoadRing>
    </div>
  );
}
