"""The page: the files that `make page` built, under `/ui`."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from pathlib import Path

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from castray.api.bodies import accepts_gzip, is_current, not_modified
from castray.api.messages import preferred_language
from castray.api.problems import ProblemResponse, problem

__all__ = ["PAGE_DIRECTORY", "page_router"]

PAGE_DIRECTORY = Path(__file__).parent.parent / "page"

INDEX = "index.html"
ASSETS = "assets/"
"""Where the build puts files whose name holds a hash of what is in them."""

IMMUTABLE = "private, max-age=31536000, immutable"
COMPRESSIBLE = ("text/", "application/javascript", "application/json", "image/svg")


class _File:
    def __init__(self, path: Path) -> None:
        self.content = path.read_bytes()
        self.media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        self.tag = f'W/"{hashlib.sha256(self.content).hexdigest()[:16]}"'
        compress = self.media_type.startswith(COMPRESSIBLE)
        self.gzipped = gzip.compress(self.content, mtime=0) if compress else None


class _Page:
    """The built files by name, read again when the page was built anew."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._built_at: int | None = None
        self._files: dict[str, _File] = {}

    def find(self, name: str) -> tuple[str, _File] | None:
        """The file of that name; a name without a suffix is a place within the page itself."""
        self._refresh()
        if name not in self._files and "." not in name.rpartition("/")[2]:
            name = INDEX
        file = self._files.get(name)
        return (name, file) if file else None

    @property
    def is_built(self) -> bool:
        return (self._directory / INDEX).is_file()

    def _refresh(self) -> None:
        built_at = (self._directory / INDEX).stat().st_mtime_ns
        if built_at != self._built_at:
            paths = [path for path in self._directory.rglob("*") if path.is_file()]
            self._files = {p.relative_to(self._directory).as_posix(): _File(p) for p in paths}
            self._built_at = built_at


def page_router(directory: Path = PAGE_DIRECTORY) -> APIRouter:
    """`/`, `/ui` and everything under it."""
    router = APIRouter(include_in_schema=False)
    page = _Page(directory)

    @router.get("/")
    async def root() -> Response:
        return RedirectResponse("/ui")

    @router.api_route("/ui", methods=["GET", "HEAD"])
    @router.api_route("/ui/{name:path}", methods=["GET", "HEAD"])
    async def ui(request: Request, name: str = INDEX) -> Response:
        language = preferred_language(request.headers)
        if not page.is_built:
            return ProblemResponse(problem("page-not-built", 503, language))
        found = page.find(name)
        if found is None:
            return ProblemResponse(problem("not-found", 404, language, path=request.url.path))
        return _respond(request, *found)

    return router


def _respond(request: Request, name: str, file: _File) -> Response:
    if is_current(request, file.tag):
        return not_modified(file.tag)
    headers = {
        "Cache-Control": IMMUTABLE if name.startswith(ASSETS) else "no-cache",
        "ETag": file.tag,
        "Vary": "Accept-Encoding",
    }
    if file.gzipped is not None and accepts_gzip(request):
        headers["Content-Encoding"] = "gzip"
        return Response(file.gzipped, media_type=file.media_type, headers=headers)
    return Response(file.content, media_type=file.media_type, headers=headers)
