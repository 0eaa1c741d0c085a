"""The digests of a cast: BLAKE3 where every host of it can, else SHA-256.

A host that has no more than `ray[default]` gets the compiled `blake3` package together with our
code (`carried_package`). It loads there when Python's minor version and the processor are the
same. Where it does not, the whole cast uses SHA-256 from the standard library: slower, and just
as hard to fool.
"""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

try:
    from blake3 import blake3
except ImportError:
    blake3 = None  # type: ignore[assignment,misc]

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

__all__ = [
    "DIGEST_BYTES",
    "Algorithm",
    "Hash",
    "available_algorithms",
    "carried_package",
    "choose_algorithm",
    "new_hash",
]

DIGEST_BYTES = 32
"""The length of a digest, of either algorithm."""


Algorithm = Literal["blake3", "sha256"]


class Hash(Protocol):
    """A digest in the making."""

    def update(self, data: bytes | bytearray | memoryview, /) -> object:
        """Take more bytes in."""

    def digest(self) -> bytes:
        """The digest of all bytes so far."""

    def copy(self) -> Hash:
        """The same again, to go on differently."""


MAKERS: dict[Algorithm, Callable[[], Hash]] = {"sha256": hashlib.sha256}
if blake3 is not None:
    MAKERS = {"blake3": blake3, **MAKERS}


def available_algorithms() -> tuple[Algorithm, ...]:
    """The algorithms that this host can, the best first."""
    return tuple(MAKERS)


def choose_algorithm(offers: Iterable[Collection[str]]) -> Algorithm:
    """The best algorithm that all hosts can; each offer is one host's `available_algorithms`."""
    return "blake3" if all("blake3" in offer for offer in offers) else "sha256"


def new_hash(algorithm: Algorithm) -> Hash:
    """A new digest of that algorithm.

    Raises:
        KeyError: This host cannot.
    """
    return MAKERS[algorithm]()


def carried_package() -> Path | None:
    """The directory to ship beside `castray`, as `blake3`; None where this host has none."""
    spec = find_spec("blake3")
    return None if spec is None or spec.origin is None else Path(spec.origin).parent
