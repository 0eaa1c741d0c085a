"""Bodies that are encoded once: per record, per version, per content coding."""

from __future__ import annotations

import gzip
import re
from functools import cached_property
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from starlette.requests import Request

    from castray.core.replica import View

__all__ = [
    "Body",
    "Fragments",
    "Keyed",
    "accepts_gzip",
    "entity_tag",
    "is_current",
    "not_modified",
    "respond",
]

GZIP_LEVEL = 1
"""JSON of nodes is so repetitive that higher levels only cost time."""

GZIP_FROM_BYTES = 1024
GZIP_ACCEPTED = re.compile(r"\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))", re.IGNORECASE)
MAX_FORGOTTEN = 1000


class Keyed(Protocol):
    """A record of the versioned state."""

    @property
    def key(self) -> str:
        """Unique in its collection."""
        ...


K = TypeVar("K", bound=Keyed)


class Body:
    """A JSON body, plain and compressed."""

    def __init__(self, text: str) -> None:
        self.plain = text.encode()

    @cached_property
    def gzipped(self) -> bytes:
        """The same, compressed when somebody first asks for it."""
        return gzip.compress(self.plain, GZIP_LEVEL, mtime=0)


class Fragments(Generic[K]):
    """The JSON of records, encoded anew only where a record is another object than before.

    Args:
        encode: Renders one record as JSON.
    """

    def __init__(self, encode: Callable[[K], str]) -> None:
        self._encode = encode
        self._known: dict[str, tuple[K, str]] = {}

    def join(self, records: Iterable[K]) -> str:
        """The JSON of all these records, with commas between."""
        return ",".join([self.get(record) for record in records])

    def get(self, record: K) -> str:
        """The JSON of one record."""
        known = self._known.get(record.key)
        if known is not None and known[0] is record:
            return known[1]
        text = self._encode(record)
        self._known[record.key] = record, text
        return text

    def keep_only(self, keys: Collection[str]) -> None:
        """Forget records that went, once there are so many that it is worth the while."""
        if len(self._known) > 2 * len(keys) + MAX_FORGOTTEN:
            kept = set(keys)
            self._known = {key: known for key, known in self._known.items() if key in kept}


def entity_tag(view: View) -> str:
    """The entity tag of everything that is rendered from this view alone."""
    lost = f"-{view.feed_lost_since.timestamp():.6f}" if view.feed_lost_since else ""
    return f'W/"{view.version}-{view.as_of.timestamp():.6f}{lost}"'


def is_current(request: Request, tag: str) -> bool:
    """Whether the client holds this already."""
    held = request.headers.get("if-none-match")
    return held is not None and (held.strip() == "*" or tag in held)


def not_modified(tag: str) -> Response:
    """The answer to a client that holds it already."""
    return Response(status_code=304, headers=_headers(tag))


def respond(request: Request, body: Body, tag: str | None = None) -> Response:
    """A JSON answer, compressed where that helps and the client can take it."""
    headers = _headers(tag)
    content = body.plain
    if len(content) >= GZIP_FROM_BYTES and accepts_gzip(request):
        headers["Content-Encoding"] = "gzip"
        content = body.gzipped
    return Response(content, media_type="application/json", headers=headers)


def accepts_gzip(request: Request) -> bool:
    """Whether the client can take a compressed answer."""
    return GZIP_ACCEPTED.search(request.headers.get("accept-encoding", "")) is not None


def _headers(tag: str | None) -> dict[str, str]:
    headers = {"Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    return headers if tag is None else headers | {"ETag": tag}
