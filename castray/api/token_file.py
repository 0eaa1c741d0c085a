"""The token that CastRay makes for itself, kept in a file that only its owner can read."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

from castray.errors import SettingsError

__all__ = ["DEFAULT_TOKEN_FILE", "read_or_create_token"]

DEFAULT_TOKEN_FILE = Path("~/.castray/token")

SETTING = "auth.token_file"

TOKEN = re.compile(rb"[\x21-\x7e]+")
"""What can stand in a header."""


def read_or_create_token(path: Path = DEFAULT_TOKEN_FILE) -> tuple[str, bool]:
    """The token in that file, and whether it was made just now.

    Several processes may call this at once: all get the same token, and one made it.

    Raises:
        SettingsError: The file cannot be used, holds no token, or is open to other users.
    """
    path = path.expanduser()
    try:
        if path.exists():
            return _read_token(path), False
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        created = _create(path, secrets.token_urlsafe(32))
        return _read_token(path), created
    except OSError as error:
        raise SettingsError(SETTING, f"{path} cannot be used: {error.strerror}.") from error


def _create(path: Path, token: str) -> bool:
    """Put a new file there, complete from its first moment; False where one is there already."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{token}\n")
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True


def _read_token(path: Path) -> str:
    if path.stat().st_mode & 0o077:
        raise SettingsError(
            SETTING, f"{path} can be read by other users: run `chmod 600 {path}`, or remove it."
        )
    token = path.read_bytes().strip()
    if not TOKEN.fullmatch(token):
        raise SettingsError(
            SETTING, f"{path} holds no token: put one line of visible ASCII there, or remove it."
        )
    return token.decode()
