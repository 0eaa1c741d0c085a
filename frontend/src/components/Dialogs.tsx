import { closeDialog, useDialog } from "../stores/dialog";
import { CastDialog } from "./CastDialog";
import { FilesDialog } from "./FilesDialog";

/** The dialog that was asked for from anywhere on the page. */
export function Dialogs() {
  const dialog = useDialog((store) => store.dialog);
  if (dialog === null) return null;
  if (dialog.kind === "files") return <FilesDialog node={dialog.node} onClose={closeDialog} />;
  return <CastDialog source={dialog.source} path={dialog.path} onClose={closeDialog} />;
}
