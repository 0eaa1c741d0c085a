"""What tests of the core share."""

from __future__ import annotations

import pytest

from tests.core.dispatch_desk import Desk


@pytest.fixture
def desk() -> Desk:
    """Four nodes, of which the source is the head."""
    return Desk()
