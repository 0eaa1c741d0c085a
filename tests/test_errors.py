from __future__ import annotations

import pickle

import pytest

from castray.errors import (
    AmbiguousNameError,
    CastRayError,
    ClusterUnreachableError,
    InvalidRequestError,
    NotFoundError,
    RegistryUnavailableError,
    SettingsError,
    TargetFileError,
)


@pytest.mark.parametrize(
    "error",
    [
        SettingsError("monitor.port", "is no port"),
        InvalidRequestError("That is no version."),
        NotFoundError("node", "M3"),
        AmbiguousNameError("node", "M3", ("home/a", "lab/b")),
        RegistryUnavailableError(),
        ClusterUnreachableError("10.0.0.1:8265", "cannot be reached."),
        TargetFileError("/data/x", "the disk is full"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_error_from_another_process_says_the_same(error: CastRayError) -> None:
    received = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes

    assert type(received) is type(error)
    assert str(received) == str(error)
    assert vars(received) == vars(error)
