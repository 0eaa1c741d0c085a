import { useCallback, useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { fetchCasts } from "../api/casts";
import { failureText } from "../api/failure";
import type { Cast } from "../api/records";
import { useLive } from "../stores/live";
import { castsInOrder } from "./list";

/** All casts: those that the server tells by itself, and older ones a page at a time. */
export function useCasts() {
  const { i18n } = useTranslation();
  const told = useLive((live) => live.state.casts);
  const [read, setRead] = useState<readonly Cast[]>([]);
  const [cursor, setCursor] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [isBusy, setIsBusy] = useState(false);

  const readMore = useCallback(
    async (from: string | null) => {
      setIsBusy(true);
      setError(null);
      try {
        const page = await fetchCasts(from, i18n.language);
        setRead((before) => [...before, ...page.casts]);
        setCursor(page.next_cursor);
      } catch (failure) {
        setError(failureText(failure, i18n.t));
      } finally {
        setIsBusy(false);
      }
    },
    [i18n],
  );
  useEffect(() => void readMore(null), [readMore]);

  return {
    casts: useMemo(() => castsInOrder(told, read), [told, read]),
    /** Null where there are no older ones. */
    readOlder: cursor === null ? null : () => void readMore(cursor),
    error,
    isBusy,
  };
}
