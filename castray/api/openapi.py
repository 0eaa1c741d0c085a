"""`python -m castray.api.openapi PATH` writes the OpenAPI document to a file."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from castray.api.app import build_app
from castray.api.auth import AccessPolicy
from castray.config import Settings
from castray.errors import RegistryUnavailableError

if TYPE_CHECKING:
    from castray.models import Changes

__all__ = ["main"]


class _NoBackend:
    async def next_changes(self, since: str | None) -> Changes:
        raise RegistryUnavailableError


def main(path: str) -> None:
    """Write the document of an application with default settings."""
    document = build_app(_NoBackend(), Settings(), AccessPolicy()).openapi()
    text = json.dumps(document, ensure_ascii=False, indent=2)
    Path(path).write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
