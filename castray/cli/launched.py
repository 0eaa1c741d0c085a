"""What `castray up` started, remembered in a file so that `castray down` ends exactly that."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
from pydantic import BaseModel, ConfigDict, ValidationError

from castray.cli.processes import ProcessId

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Launched", "state_directory"]


def state_directory(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the command line keeps its own files."""
    return Path(environ.get("HOME") or "~").expanduser() / ".castray"


class Launched(BaseModel):
    """One `castray up`. A process is None where there is none."""

    model_config = ConfigDict(frozen=True)

    address: str
    namespace: str
    serve_is_ours: bool = False
    supervisor: ProcessId | None = None
    """The `castray up` that stays until it is stopped."""
    ray: ProcessId | None = None
    """The Ray that was started for it."""
    command: ProcessId | None = None
    """What `--run` started."""

    @classmethod
    def load(cls, path: Path) -> Launched | None:
        """What is remembered in that file, if anything is.

        Raises:
            click.ClickException: The file is not one of ours.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError):
            raise click.ClickException(
                f"{path} cannot be read: remove it; what an earlier `castray up --detach` started "
                "must then be ended by hand."
            ) from None

    def save(self, path: Path) -> None:
        """Remember it there, in place of what was remembered before."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_suffix(".new")
        draft.write_text(self.model_dump_json(indent=2), encoding="utf-8")
        draft.replace(path)

    def is_running(self) -> bool:
        """Whether anything that it started lives."""
        started = (self.supervisor, self.ray, self.command)
        return any(process is not None and process.find() is not None for process in started)

    def serve_is_ours_at(self, address: str) -> bool:
        """Whether Serve on the cluster at that address runs because of CastRay."""
        return self.serve_is_ours and self.address == address
