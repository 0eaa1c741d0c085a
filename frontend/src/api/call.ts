/** A server that takes longer than this is as good as away. */
const TIMEOUT_MS = 5_000;

interface Options {
  body?: unknown;
  /** In which language the server should speak; the browser's where none is named. */
  language?: string;
  timeoutMs?: number;
}

/** Call the API. An error is an answer too; it rejects where there is none in time. */
export function call(method: string, path: string, options: Options = {}): Promise<Response> {
  const { body, language, timeoutMs = TIMEOUT_MS } = options;
  return fetch(path, {
    method,
    signal: AbortSignal.timeout(timeoutMs),
    headers: {
      ...(language !== undefined && { "Accept-Language": language }),
      ...(body !== undefined && { "Content-Type": "application/json" }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}
