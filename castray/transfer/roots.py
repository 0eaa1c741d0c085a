"""The directories of this node that files are read from and written to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from castray.core.paths import plan_path
from castray.errors import UnsafePathError
from castray.models import DEFAULT_ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from castray.core.paths import RootedPath

__all__ = ["Roots"]

ONLY_OURS = 0o700


class Roots:
    """A node's roots, as absolute paths.

    Args:
        configured: As the settings have them; `~` is the home of whoever runs this.
    """

    def __init__(self, configured: Sequence[str]) -> None:
        self.paths = tuple(str(Path(root).expanduser()) for root in configured)
        self._default = str(Path(DEFAULT_ROOT).expanduser())

    def plan(self, text: str) -> RootedPath:
        """Which root a path lies in; no file is looked at.

        Raises:
            UnsafePathError: None, or it is no path that we read or write.
        """
        return plan_path(text, self.paths)

    def ensure(self, root: str) -> None:
        """Make sure that a root is there; the default one is made.

        Raises:
            UnsafePathError: It is missing.
        """
        try:
            if root == self._default:
                Path(root).mkdir(ONLY_OURS, parents=True, exist_ok=True)
            if Path(root).is_dir():
                return
            problem = "is not there on this node"
        except OSError as error:
            problem = f"cannot be made on this node: {error.strerror}"
        raise UnsafePathError(
            root, f"{problem}; make that directory, or name another in the setting transfer.roots"
        )

    def find(self, text: str) -> RootedPath:
        """Which root a path lies in, that one being there.

        Raises:
            UnsafePathError: None, or it is missing.
        """
        path = self.plan(text)
        self.ensure(path.root)
        return path
