/** Passes on the newest value: the first at once, those that follow at most every `intervalMs`. */
export function paced<T>(publish: (value: T) => void, intervalMs: number): (value: T) => void {
  let pending: { value: T } | null = null;
  let isResting = false;

  const flush = (value: T) => {
    pending = null;
    isResting = true;
    publish(value);
    setTimeout(() => {
      isResting = false;
      if (pending !== null) flush(pending.value);
    }, intervalMs);
  };

  return (value) => {
    if (isResting) pending = { value };
    else flush(value);
  };
}
