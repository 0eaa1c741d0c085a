from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from castray.transfer.hashing import (
    DIGEST_BYTES,
    Algorithm,
    available_algorithms,
    carried_package,
    choose_algorithm,
    new_hash,
)

if TYPE_CHECKING:
    from pathlib import Path

BLAKE3_OF_ABC = "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"
"""From the test vectors of the algorithm's authors."""


def digest(algorithm: Algorithm, data: bytes) -> bytes:
    found = new_hash(algorithm)
    found.update(data)
    return found.digest()


def test_both_algorithms_are_the_known_ones() -> None:
    assert digest("blake3", b"abc").hex() == BLAKE3_OF_ABC
    assert digest("sha256", b"abc") == hashlib.sha256(b"abc").digest()


@pytest.mark.parametrize("algorithm", ["blake3", "sha256"])
def test_a_digest_can_be_read_and_go_on(algorithm: Algorithm) -> None:
    running = new_hash(algorithm)
    running.update(b"ab")
    first, copy = running.digest(), running.copy()
    running.update(memoryview(b"c"))

    assert first == copy.digest() == digest(algorithm, b"ab")
    assert running.digest() == digest(algorithm, b"abc")
    assert len(first) == DIGEST_BYTES


def test_the_best_that_all_can_is_chosen() -> None:
    assert choose_algorithm([("blake3", "sha256"), ("blake3", "sha256")]) == "blake3"
    assert choose_algorithm([("blake3", "sha256"), ("sha256",)]) == "sha256"


def test_a_host_without_blake3_says_so_and_works() -> None:
    script = (
        "import sys; sys.modules['blake3'] = None\n"
        "from castray.transfer.hashing import *\n"
        "assert carried_package() is None\n"
        "print(available_algorithms(), new_hash('sha256').digest().hex()[:8])"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout == "('sha256',) e3b0c442\n"
    assert available_algorithms() == ("blake3", "sha256")


def test_the_package_that_is_carried_along_works_where_it_is_unpacked(tmp_path: Path) -> None:
    package = carried_package()
    assert package is not None
    shutil.copytree(package, tmp_path / "blake3")
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import blake3; print(blake3.blake3(b'abc').hexdigest())"
    )

    # Isolated and without site packages: nothing else can be found.
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script, tmp_path],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == BLAKE3_OF_ABC
