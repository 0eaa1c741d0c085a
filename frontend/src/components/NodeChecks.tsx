import { Checkbox } from "@mantine/core";
import { useClusterName } from "../clusters/useClusterName";
import type { NodeGroup } from "../nodes/groups";
import { ClusterMark } from "./ClusterMark";
import classes from "./NodeChecks.module.css";

interface Props {
  groups: readonly NodeGroup[];
  /** Keys. */
  checked: readonly string[];
  onChecked(keys: string[]): void;
}

/** Nodes to choose by click, one by one or a cluster at a time. */
export function NodeChecks({ groups, checked, onChecked }: Props) {
  return (
    <Checkbox.Group value={[...checked]} onChange={onChecked}>
      <div className={classes.groups}>
        {groups.map((group) => (
          <Group key={group.cluster} group={group} checked={checked} onChecked={onChecked} />
        ))}
      </div>
    </Checkbox.Group>
  );
}

type GroupProps = Omit<Props, "groups"> & { group: NodeGroup };

function Group({ group: { cluster, nodes }, checked, onChecked }: GroupProps) {
  const name = useClusterName(cluster);
  const keys = nodes.map(({ key }) => key);
  const count = keys.filter((key) => checked.includes(key)).length;
  const others = checked.filter((key) => !keys.includes(key));
  return (
    <fieldset className={classes.group}>
      <legend className={classes.legend}>
        <Checkbox.Group value={[]}>
          <Checkbox
            size="xs"
            label={
              <span className={classes.cluster}>
                <ClusterMark cluster={cluster} />
                {name}
              </span>
            }
            checked={count === keys.length}
            indeterminate={count > 0 && count < keys.length}
            onChange={() => onChecked(count === keys.length ? others : [...others, ...keys])}
          />
        </Checkbox.Group>
      </legend>
      {nodes.map((node) => (
        <Checkbox key={node.key} size="xs" value={node.key} label={node.name} />
      ))}
    </fieldset>
  );
}
