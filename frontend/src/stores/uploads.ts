import { create } from "zustand";
import { uploadFile } from "../api/files";
import { ProblemError } from "../api/problem";
import type { IfExists } from "../api/records";
import { pathIn } from "../files/path";

/** A file on its way to a node. */
export interface Upload {
  readonly id: number;
  /** Key of the node. */
  readonly node: string;
  readonly directory: string;
  readonly file: File;
  readonly ifExists: IfExists;
  readonly phase: "waiting" | "sending" | "done" | "failed";
  readonly sentBytes: number;
  readonly failure: unknown;
}

const TAKEN = "urn:castray:problem:target-exists";

/** All uploads since the page is open, until they are dismissed; they outlive their dialog. */
export const useUploads = create<{ uploads: readonly Upload[] }>(() => ({ uploads: [] }));

const aborters = new Map<number, AbortController>();
let nextId = 0;
let turn: Promise<void> = Promise.resolve();

/** Put a file into a directory of a node, after those that were asked for before. */
export function startUpload(
  what: Pick<Upload, "node" | "directory" | "file" | "ifExists">,
  language: string,
): void {
  const id = nextId++;
  const upload: Upload = { ...what, id, phase: "waiting", sentBytes: 0, failure: null };
  aborters.set(id, new AbortController());
  useUploads.setState(({ uploads }) => ({ uploads: [...uploads, upload] }));
  turn = turn.then(() => send(upload, language));
}

/** Forget an upload; of one that has not wholly been sent nothing is left. */
export function dismissUpload(id: number): void {
  aborters.get(id)?.abort();
  aborters.delete(id);
  useUploads.setState(({ uploads }) => ({ uploads: uploads.filter((each) => each.id !== id) }));
}

/** Whether it failed because something of that name is there. */
export function isNameTaken({ failure }: Upload): boolean {
  return failure instanceof ProblemError && failure.problem.type === TAKEN;
}

async function send({ id, node, directory, file, ifExists }: Upload, language: string) {
  const signal = aborters.get(id)?.signal;
  if (signal === undefined) return;
  change(id, { phase: "sending" });
  try {
    await uploadFile(node, pathIn(directory, file.name), file, {
      ifExists,
      language,
      signal,
      onProgress: (sentBytes) => change(id, { sentBytes }),
    });
    change(id, { phase: "done", sentBytes: file.size });
  } catch (failure) {
    change(id, { phase: "failed", failure });
  }
}

function change(id: number, fields: Partial<Upload>): void {
  useUploads.setState(({ uploads }) => ({
    uploads: uploads.map((each) => (each.id === id ? { ...each, ...fields } : each)),
  }));
}
