"""What travels to another cluster to be an outpost there: our code, and how it is started."""

from __future__ import annotations

import hashlib
import io
import shlex
import zipfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import castray
from castray.transfer.hashing import carried_package

if TYPE_CHECKING:
    from collections.abc import Iterator

    from castray.transfer.outpost_link import OutpostSettings

__all__ = ["OutpostPackage", "build_package", "entrypoint"]

PARTS = (
    "__init__.py",
    "models.py",
    "cast_models.py",
    "changes.py",
    "chinese.py",
    "chinese_texts.py",
    "errors.py",
    "actors",
    "core",
    "monitor",
    "transfer",
)
"""Of this package: all that the job and its actors import."""

CODE_SUFFIXES = (".py", ".so")

START_SCRIPT = "start-outpost.sh"

# Whoever starts a job knows of no Python there, and the one on the path may have no Ray. The one
# that the cluster's own workers run with stands in the command line of this process' grandparent.
START = r"""
grandparent=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$PPID/status")
python=$(tr '\0' '\n' < "/proc/$grandparent/cmdline" |
  sed -n 's/^--python_worker_command=\([^ ]*\) .*/\1/p')
exec "${python:-python}" -m castray.actors.outpost_job "$@"
"""

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The same code makes the same bytes, whenever it was installed."""


class OutpostPackage(NamedTuple):
    """The content of a ZIP file, and what it is called by."""

    content: bytes
    digest: str


@cache
def build_package() -> OutpostPackage:
    """This installation's own code, and the compiled hash where there is one."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, START_SCRIPT, START.lstrip().encode())
        for name, path in _files():
            _add(archive, name, path.read_bytes())
    content = buffer.getvalue()
    return OutpostPackage(content, hashlib.sha256(content).hexdigest())


def entrypoint(verb: str, settings: OutpostSettings) -> str:
    """The command that installs (`ensure`) or ends (`remove`) an outpost with that package."""
    return f"exec sh {START_SCRIPT} {verb} {shlex.quote(settings.model_dump_json())}"


def _files() -> Iterator[tuple[str, Path]]:
    """Name in the package and path of each file, in a fixed order."""
    home = Path(castray.__file__).parent
    for part in PARTS:
        yield from _code_in(home / part, home.parent)
    blake3 = carried_package()
    if blake3 is not None:
        yield from _code_in(blake3, blake3.parent)


def _code_in(path: Path, above: Path) -> Iterator[tuple[str, Path]]:
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.suffix in CODE_SUFFIXES:
            yield str(file.relative_to(above)), file


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    info = zipfile.ZipInfo(name, EPOCH)
    info.external_attr = 0o644 << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(info, content)
