"""Builds the page into the wheel and the sdist, so that `pip install .` is all that it takes."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

__all__ = ["PageBuildHook"]

WITHOUT_PAGE = "CASTRAY_WITHOUT_PAGE"
"""Set to anything: leave the page out."""


class PageBuildHook(BuildHookInterface):  # type: ignore[misc]
    """Puts `castray/page` into what is built, and builds it first where it is not up to date."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it collects the files."""
        if version == "editable" or os.environ.get(WITHOUT_PAGE):
            return
        root = Path(self.root)
        if not _is_up_to_date(root / "castray/page/index.html", root / "frontend"):
            self._build_page(root / "frontend")
        build_data["artifacts"].append("castray/page/**")

    def _build_page(self, frontend: Path) -> None:
        if not frontend.exists():
            self.app.abort(
                "This source archive was made without the page and without what it is built from: "
                f"set {WITHOUT_PAGE}=1 to build without the page."
            )
        npm = shutil.which("npm") or self.app.abort(
            "The page of CastRay has to be built, and there is no npm: install Node.js 20.19 or "
            f"later and try again, or set {WITHOUT_PAGE}=1 to build without the page."
        )
        for arguments in (["ci"], ["run", "build"]):
            self.app.display_info(f"Building the page: npm {' '.join(arguments)}")
            if subprocess.run([npm, *arguments], cwd=frontend).returncode:
                self.app.abort(
                    f"`npm {' '.join(arguments)}` failed in {frontend}; what it said is above. "
                    f"Set {WITHOUT_PAGE}=1 to build without the page."
                )


def _is_up_to_date(page: Path, frontend: Path) -> bool:
    """Whether the page is no older than any of its sources; true too where those are absent."""
    folders = ("src", "public")
    sources = [*frontend.glob("*.*"), *(p for f in folders for p in (frontend / f).rglob("*"))]
    return page.exists() and all(p.stat().st_mtime <= page.stat().st_mtime for p in sources)
