import { create } from "zustand";

/** A dialog that is opened from several places; nodes are given by key. */
export type Dialog =
  | { kind: "cast"; source: string | null; path: string }
  | { kind: "files"; node: string };

export const useDialog = create<{ dialog: Dialog | null }>(() => ({ dialog: null }));

export function openCastDialog(source: string | null = null, path = ""): void {
  useDialog.setState({ dialog: { kind: "cast", source, path } });
}

export function openFilesDialog(node: string): void {
  useDialog.setState({ dialog: { kind: "files", node } });
}

export function closeDialog(): void {
  useDialog.setState({ dialog: null });
}
