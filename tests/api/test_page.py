from __future__ import annotations

import gzip
import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

INDEX = "<!doctype html><title>CastRay</title>"
SCRIPT = "console.log('CastRay');" * 100


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """The built page, which the API of a test looks for there."""
    page = tmp_path / "page"
    (page / "assets").mkdir(parents=True)
    (page / "index.html").write_text(INDEX, encoding="utf-8")
    (page / "assets" / "index-BpRw7Hgc.js").write_text(SCRIPT, encoding="utf-8")
    (page / "favicon.svg").write_text("<svg/>", encoding="utf-8")
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    return page


async def test_the_address_alone_leads_to_the_page(api: httpx.AsyncClient) -> None:
    answer = await api.get("/")

    assert (answer.status_code, answer.headers["location"]) == (307, "/ui")


async def test_a_page_that_is_not_built_says_how_to(api: httpx.AsyncClient) -> None:
    answer = await api.get("/ui")

    assert answer.status_code == 503
    assert "make page" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/ui", "/ui/", "/ui/index.html", "/ui/nodes/M3"])
async def test_the_page_and_every_place_within_it_is_the_index(
    built: Path, api: httpx.AsyncClient, path: str
) -> None:
    answer = await api.get(path)

    assert (answer.status_code, answer.text) == (200, INDEX)
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-cache"


async def test_assets_are_kept_for_ever_and_compressed(built: Path, api: httpx.AsyncClient) -> None:
    answer = await api.get("/ui/assets/index-BpRw7Hgc.js")

    assert answer.text == SCRIPT
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) == len(gzip.compress(SCRIPT.encode()))


async def test_other_files_are_asked_for_again_but_sent_only_when_they_changed(
    built: Path, api: httpx.AsyncClient
) -> None:
    first = await api.get("/ui/favicon.svg")

    again = await api.get("/ui/favicon.svg", headers={"if-none-match": first.headers["etag"]})

    assert first.headers["content-type"].startswith("image/svg+xml")
    assert first.headers["cache-control"] == "no-cache"
    assert again.status_code == 304


@pytest.mark.parametrize(
    "path",
    [
        "/ui/assets/gone-123.js",
        "/ui/../secret.txt",
        "/ui/%2e%2e/secret.txt",
        "/ui/..%2fsecret.txt",
        "/ui/assets/../../secret.txt",
        "/ui//etc/passwd.txt",
        "/ui/%00.txt",
    ],
)
async def test_what_is_no_file_of_the_page_is_not_found(
    built: Path, api: httpx.AsyncClient, path: str
) -> None:
    answer = await api.get(path)

    assert answer.status_code == 404
    assert "secret" not in answer.json()["title"]


async def test_a_page_that_is_built_anew_is_served_anew(
    built: Path, api: httpx.AsyncClient
) -> None:
    await api.get("/ui")
    (built / "index.html").write_text("new", encoding="utf-8")
    os.utime(built / "index.html", (1, 1))

    assert (await api.get("/ui")).text == "new"
