"""Whether the page fits a window."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.async_api import Page

__all__ = ["fits_width"]


async def fits_width(page: Page, width_px: int) -> None:
    """Wait until nothing sticks out at the side: columns follow the window a frame later.

    Raises:
        playwright.async_api.TimeoutError: Something does.
    """
    await page.wait_for_function(
        "width => document.documentElement.scrollWidth <= width", arg=width_px
    )
