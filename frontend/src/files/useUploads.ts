import { useCallback, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { failureText } from "../api/failure";
import { uploadFile } from "../api/files";
import { ProblemError } from "../api/problem";
import type { IfExists } from "../api/records";
import { pathIn } from "./path";

/** A file on its way to a node. */
export interface Upload {
  id: number;
  file: File;
  directory: string;
  phase: "waiting" | "sending" | "done" | "failed";
  sentBytes: number;
  error: string | null;
  /** Whether it failed because something of that name is there. */
  isTaken: boolean;
}

const TAKEN = "urn:castray:problem:target-exists";

/** Uploads to one node, one after another; those under way end with the component. */
export function useUploads(node: string, onDone: () => void) {
  const { t, i18n } = useTranslation();
  const [uploads, setUploads] = useState<readonly Upload[]>([]);
  const turn = useRef<Promise<void>>(Promise.resolve());
  const aborter = useRef(new AbortController());
  const nextId = useRef(0);

  useEffect(() => {
    aborter.current = new AbortController();
    return () => aborter.current.abort();
  }, []);

  const change = useCallback((id: number, fields: Partial<Upload>) => {
    setUploads((before) => before.map((each) => (each.id === id ? { ...each, ...fields } : each)));
  }, []);

  const send = async (id: number, directory: string, file: File, ifExists: IfExists) => {
    const { signal } = aborter.current;
    if (signal.aborted) return;
    change(id, { phase: "sending" });
    try {
      await uploadFile(node, pathIn(directory, file.name), file, {
        ifExists,
        language: i18n.language,
        signal,
        onProgress: (sentBytes) => change(id, { sentBytes }),
      });
      change(id, { phase: "done", sentBytes: file.size });
      onDone();
    } catch (failure) {
      const isTaken = failure instanceof ProblemError && failure.problem.type === TAKEN;
      change(id, { phase: "failed", error: failureText(failure, t), isTaken });
    }
  };

  const start = (directory: string, file: File, ifExists: IfExists = "fail") => {
    const id = nextId.current++;
    const upload: Upload = {
      id,
      file,
      directory,
      phase: "waiting",
      sentBytes: 0,
      error: null,
      isTaken: false,
    };
    setUploads((before) => [...before, upload]);
    turn.current = turn.current.then(() => send(id, directory, file, ifExists));
  };

  const dismiss = (id: number) => setUploads((before) => before.filter((each) => each.id !== id));

  return { uploads, start, dismiss };
}
