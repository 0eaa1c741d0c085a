import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { startCast } from "../api/casts";
import { failureText } from "../api/failure";
import { uploadFile } from "../api/files";
import type { Cast, CastRequest } from "../api/records";

/** Where a node keeps what was sent to it only to be cast. */
const UPLOADS = "uploads";

/** What is going on with a cast that is about to begin. */
export type Casting =
  | { phase: "none" }
  | { phase: "planning" }
  | { phase: "uploading"; sentBytes: number; totalBytes: number }
  | { phase: "starting" };

/** Plans and begins casts; an upload under way ends with the component. */
export function useCasting() {
  const { t, i18n } = useTranslation();
  const [casting, setCasting] = useState<Casting>({ phase: "none" });
  const [error, setError] = useState<string | null>(null);
  const aborter = useRef(new AbortController());

  useEffect(() => {
    aborter.current = new AbortController();
    return () => aborter.current.abort();
  }, []);

  const attempt = async <T>(first: Casting, work: () => Promise<T>): Promise<T | null> => {
    setError(null);
    setCasting(first);
    try {
      return await work();
    } catch (failure) {
      setError(failureText(failure, t));
      return null;
    } finally {
      setCasting({ phase: "none" });
    }
  };

  return {
    casting,
    error,
    /** What a dry run says; null where it fails. */
    plan: (request: CastRequest): Promise<Cast | null> =>
      attempt({ phase: "planning" }, () => startCast(request, i18n.language)),
    /** The cast that began; null where it did not. */
    start: (request: CastRequest): Promise<Cast | null> =>
      attempt({ phase: "starting" }, () => startCast(request, i18n.language)),
    /** Where the file lies on the node now; null where it could not be put there. */
    upload: async (node: string, file: File): Promise<string | null> => {
      const sending = (sentBytes: number): Casting => ({
        phase: "uploading",
        sentBytes,
        totalBytes: file.size,
      });
      const uploaded = await attempt(sending(0), () =>
        uploadFile(node, `${UPLOADS}/${file.name}`, file, {
          ifExists: "rename",
          language: i18n.language,
          signal: aborter.current.signal,
          onProgress: (sentBytes) => setCasting(sending(sentBytes)),
        }),
      );
      return uploaded?.path ?? null;
    },
  };
}
