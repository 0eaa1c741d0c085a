import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { failureText } from "../api/failure";
import { fetchListing } from "../api/files";
import type { DirectoryListing } from "../api/records";

/** What is known of a directory of a node; `listing` stays while the next one is read. */
export interface Listing {
  listing: DirectoryListing | null;
  error: string | null;
  isBusy: boolean;
  readAgain(): void;
}

/** What lies in a directory of a node; an empty path is its first root. Each `edition` is read. */
export function useListing(node: string, path: string, edition = 0): Listing {
  const { t, i18n } = useTranslation();
  const [listing, setListing] = useState<DirectoryListing | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [isBusy, setIsBusy] = useState(true);
  const [round, setRound] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new round or edition asks for the same again
  useEffect(() => {
    let isWanted = true;
    setIsBusy(true);
    fetchListing(node, path, i18n.language)
      .then((found) => {
        if (!isWanted) return;
        setListing(found);
        setError(null);
      })
      .catch((failure) => isWanted && setError(failureText(failure, t)))
      .finally(() => isWanted && setIsBusy(false));
    return () => {
      isWanted = false;
    };
  }, [node, path, edition, round, i18n.language, t]);

  return { listing, error, isBusy, readAgain: () => setRound((before) => before + 1) };
}
