import { call } from "./call";
import { answerOf, ProblemError, parseProblem } from "./problem";
import type { DirectoryListing, IfExists, Uploaded } from "./records";

/** A node's agent is started when it is first asked, which takes its time on another cluster. */
const TIMEOUT_MS = 60_000;

/** What lies at a path of a node; an empty path is its first root. Rejects with a `ProblemError`. */
export async function fetchListing(
  node: string,
  path: string,
  language: string,
): Promise<DirectoryListing> {
  const options = { language, timeoutMs: TIMEOUT_MS };
  return (await answerOf(call("GET", filesUrl(node, "files", { path }), options))).json();
}

/** Where a browser fetches a file of a node. */
export function contentUrl(node: string, path: string): string {
  return filesUrl(node, "files/content", { path });
}

export interface UploadOptions {
  ifExists: IfExists;
  language: string;
  signal: AbortSignal;
  onProgress(sentBytes: number): void;
}

/** Put a file on a node, and tell how far that is. Rejects with a `ProblemError`. */
export function uploadFile(
  node: string,
  path: string,
  file: Blob,
  { ifExists, language, signal, onProgress }: UploadOptions,
): Promise<Uploaded> {
  return new Promise((resolve, reject) => {
    // fetch() does not tell how much of a body has been sent.
    const request = new XMLHttpRequest();
    request.open("PUT", filesUrl(node, "files/content", { path, if_exists: ifExists }));
    request.setRequestHeader("Accept-Language", language);
    request.upload.onprogress = ({ loaded }) => onProgress(loaded);
    request.onload = () => {
      const { status, responseText } = request;
      if (status === 201) resolve(JSON.parse(responseText));
      else reject(new ProblemError(parseProblem(status, responseText)));
    };
    request.onerror = () => reject(new Error("the connection broke off"));
    request.onabort = () => reject(signal.reason);
    signal.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}

function filesUrl(node: string, what: string, query: Record<string, string>): string {
  const key = node.split("/").map(encodeURIComponent).join("/");
  return `/api/nodes/${key}/${what}?${new URLSearchParams(query)}`;
}
