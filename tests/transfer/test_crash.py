"""A few of the runs of `python -m tests.transfer.crash`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.transfer.crash import CrashRun

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("seed", "receivers"), [(5, 1), (7, 1), (4, 3)])
def test_whatever_is_harmed_and_whenever_no_wrong_file_appears_and_all_arrive(
    tmp_path: Path, seed: int, receivers: int
) -> None:
    # It looks at all files after each harm, and in the end.
    CrashRun(seed, tmp_path, receivers).run()
