from __future__ import annotations

import stat
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING

import pytest

from castray.api.token_file import read_or_create_token
from castray.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_token_is_made_once_and_kept_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "token"

    token, created = read_or_create_token(path)

    assert created
    assert len(token) >= 40
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert read_or_create_token(path) == (token, False)
    assert [p.name for p in path.parent.iterdir()] == ["token"]


def test_two_files_hold_two_tokens(tmp_path: Path) -> None:
    first, _ = read_or_create_token(tmp_path / "a")
    second, _ = read_or_create_token(tmp_path / "b")

    assert first != second


def test_processes_that_start_together_share_one_token(tmp_path: Path) -> None:
    path = tmp_path / "token"

    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        results = list(pool.map(read_or_create_token, [path] * 16))

    assert len({token for token, _ in results}) == 1
    assert sum(created for _, created in results) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "token"
    read_or_create_token(path)
    path.chmod(mode)

    with pytest.raises(SettingsError, match=r"auth\.token_file: .*`chmod 600"):
        read_or_create_token(path)


@pytest.mark.parametrize("content", [b"", b"\n", b"two words", b"two\nlines", b"\xff\xfe"])
def test_a_file_with_anything_else_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "token"
    path.touch(0o600)
    path.write_bytes(content)

    with pytest.raises(SettingsError, match="holds no token"):
        read_or_create_token(path)


def test_a_place_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(SettingsError, match=r"auth\.token_file: .*/file/token cannot be used"):
        read_or_create_token(tmp_path / "file" / "token")
