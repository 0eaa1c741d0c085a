"""What all tests share: a clean environment, no Ray where none belongs, hosts, and a browser."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack
from typing import TYPE_CHECKING, NoReturn

import pytest
import ray
from hypothesis import settings
from playwright.async_api import async_playwright, expect

from tests.hosts import create_hosts, why_no_hosts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from playwright.async_api import Browser, Page

    from tests.hosts import Host

TESTS_WITH_RAY = ("tests/actors/", "tests/system/")

PAGE_WITHIN_MS = 15_000
"""What the page is to show may take so long on a machine that does much else."""

READ_VARIABLES = ("CASTRAY_", "RAY_", "EXTERNAL_CLUSTER_ENABLED", "CLUSTER_DISCOVERY_TIMEOUT")

# Nothing leaves the machine, and nothing depends on what it has for a screen or a GPU.
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_configure(config: pytest.Config) -> None:
    """Time no example of a property, be patient with pages, and let Ray Serve be imported.

    Its own records use what Pydantic no longer likes.
    """
    expect.set_options(timeout=PAGE_WITHIN_MS)
    settings.register_profile("untimed", deadline=None)
    settings.load_profile("untimed")
    config.addinivalue_line("filterwarnings", "ignore:Using extra keyword arguments on `Field`")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by what they need, so that `-m "not hosts"` can leave them out."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if "can_make_hosts" in fixtures:
            item.add_marker("hosts")
        if "chromium" in fixtures:
            item.add_marker("browser")


@pytest.fixture(scope="session", autouse=True)
def clean_environment() -> Iterator[None]:
    """Take away what the environment would tell CastRay or Ray."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith(READ_VARIABLES):
                patch.delenv(name)
        yield


@pytest.fixture(autouse=True)
def no_ray(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every start of Ray fail, the automatic ones too, where a test should not need one."""
    if not request.node.nodeid.startswith(TESTS_WITH_RAY):
        monkeypatch.setattr(ray, "init", _refuse_ray)


@pytest.fixture(scope="session")
def can_make_hosts() -> None:
    """Skip what needs hosts where none can be made."""
    if reason := why_no_hosts():
        pytest.skip(reason)


@pytest.fixture
def make_hosts(can_make_hosts: None, tmp_path: Path) -> Iterator[Callable[[int], list[Host]]]:
    """Makes that many hosts, which end with the test."""
    with ExitStack() as stack:
        yield lambda count: stack.enter_context(create_hosts(count, tmp_path))


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Debian's chromium; the test is skipped where it is missing."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("no chromium here (Debian: apt-get install chromium)")
    return path


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """A headless chromium; each context in it is a user of its own."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_OPTIONS)
        yield browser
        await browser.close()


@pytest.fixture
async def page(browser: Browser) -> Page:
    """An empty page, in English."""
    return await browser.new_page(locale="en-GB")


def _refuse_ray(*args: object, **options: object) -> NoReturn:
    raise AssertionError(f"only {' and '.join(TESTS_WITH_RAY)} may start Ray")
