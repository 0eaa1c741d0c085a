"""`python -m castray.api.openapi PATH` writes the OpenAPI document to a file."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

from castray.api.app import build_app
from castray.api.auth import AccessPolicy
from castray.config import Settings

if TYPE_CHECKING:
    from castray.api.backend import Backend

__all__ = ["main"]


def main(path: str) -> None:
    """Write the document of an application with default settings."""
    # The document is made without asking the backend anything.
    document = build_app(cast("Backend", None), Settings(), AccessPolicy()).openapi()
    text = json.dumps(document, ensure_ascii=False, indent=2)
    Path(path).write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
