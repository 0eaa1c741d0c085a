import { FileButton } from "@mantine/core";
import { IconUpload } from "@tabler/icons-react";
import { type DragEvent, type ReactNode, useState } from "react";
import classes from "./DropZone.module.css";

interface Props {
  label: string;
  onFiles(files: File[]): void;
  children?: ReactNode;
}

/** A place to drop files of one's own computer on, or to choose them with a click. */
export function DropZone({ label, onFiles, children }: Props) {
  const [isOver, setIsOver] = useState(false);
  const hover = (event: DragEvent) => {
    event.preventDefault();
    setIsOver(true);
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setIsOver(false);
    if (event.dataTransfer.files.length > 0) onFiles([...event.dataTransfer.files]);
  };
  return (
    <FileButton multiple onChange={(files) => files.length > 0 && onFiles(files)}>
      {(button) => (
        <button
          {...button}
          type="button"
          className={classes.zone}
          data-over={isOver}
          onDragOver={hover}
          onDragLeave={() => setIsOver(false)}
          onDrop={drop}
        >
          <IconUpload size={16} aria-hidden />
          {children ?? label}
        </button>
      )}
    </FileButton>
  );
}
