import { useTranslation } from "react-i18next";
import type { CastTarget } from "../api/records";
import { isActive } from "../casts/list";
import { useNodeName } from "../nodes/useNodeName";
import { CastProgress } from "./CastProgress";
import { CastStateMark, CastTrouble } from "./CastStateMark";
import classes from "./CastTargets.module.css";
import { ClusterMark } from "./ClusterMark";
import { ServerText } from "./ServerText";

/** How far each target of a cast is. */
export function CastTargets({ targets, isSilent }: { targets: CastTarget[]; isSilent: boolean }) {
  return (
    <ul className={classes.targets}>
      {targets.map((target) => (
        <Target key={target.node} target={target} isSilent={isSilent} />
      ))}
    </ul>
  );
}

function Target({ target, isSilent }: { target: CastTarget; isSilent: boolean }) {
  const name = useNodeName(target.node);
  return (
    <li
      className={classes.target}
      data-testid="cast-target"
      data-node={target.node}
      data-state={target.state}
    >
      <span className={classes.node} title={target.node}>
        <ClusterMark cluster={target.node.split("/")[0] ?? ""} />
        <span className={classes.name}>{name}</span>
      </span>
      <span className={classes.state}>
        <CastStateMark state={isSilent && isActive(target) ? "unknown" : target.state} />
      </span>
      <CastProgress of={target} label={name} isSilent={isSilent} />
      <TargetDetail target={target} />
    </li>
  );
}

/** Where it goes there and by which way, what it waits for, and what went wrong. */
function TargetDetail({ target }: { target: CastTarget }) {
  const { t } = useTranslation();
  const more = target.problems_total - target.problems.length;
  return (
    <div className={classes.detail}>
      <span className={classes.path}>{target.path}</span>
      {target.route === "relay" && <span>{t("casts.relayed")}</span>}
      {target.waits_for !== null && (
        <span>
          {t("casts.waitsFor")}{" "}
          <ServerText english={target.waits_for} chinese={target.waits_for_zh} />
        </span>
      )}
      {target.error !== null && <CastTrouble english={target.error} chinese={target.error_zh} />}
      {target.problems.map(({ path, problem, problem_zh }) => (
        <CastTrouble key={path} path={path} english={problem} chinese={problem_zh} />
      ))}
      {more > 0 && <span>{t("casts.moreProblems", { count: more })}</span>}
    </div>
  );
}
