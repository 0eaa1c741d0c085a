import { create } from "zustand";
import type { Notice } from "../api/records";
import { newsBetween } from "../clusters/news";
import { useLive } from "./live";

/** What happened to external clusters since the page is open, until it is dismissed. */
export const useToasts = create<{ toasts: readonly Notice[] }>(() => ({ toasts: [] }));

export function dismissToast(key: string): void {
  useToasts.setState(({ toasts }) => ({ toasts: toasts.filter((toast) => toast.key !== key) }));
}

useLive.subscribe((live, before) => {
  const news = newsBetween(before.state, live.state);
  if (news.length > 0) useToasts.setState(({ toasts }) => ({ toasts: [...toasts, ...news] }));
});
