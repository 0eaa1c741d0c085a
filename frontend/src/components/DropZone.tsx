import { FileButton } from "@mantine/core";
import { IconUpload } from "@tabler/icons-react";
import { type DragEvent, useState } from "react";
import classes from "./DropZone.module.css";

interface Props {
  /** What it says. */
  children: string;
  onFiles(files: File[]): void;
}

/** A place to drop files of one's own computer on, or to choose them with a click. */
export function DropZone({ children, onFiles }: Props) {
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
          {children}
        </button>
      )}
    </FileButton>
  );
}
