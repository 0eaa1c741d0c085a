"""What can go wrong, as one tree:

CastRayError
├── SettingsError            a setting is unknown, of the wrong type or impossible
├── InvalidRequestError      a caller's request makes no sense as it stands
├── NotFoundError            no node, cluster or cast of that name
├── AmbiguousNameError       several nodes or clusters of that name
├── RegistryUnavailableError the registry cannot be reached now
├── CastError                a cast, or one file of it, cannot go on
│   ├── UnsafePathError          a path that may not be read or written here
│   ├── SourceFileError          a source file is missing, unreadable, or changed while it was sent
│   ├── TargetFileError          a target cannot be written: it exists, the disk is full
│   ├── PeerError                another host of the cast is gone, slow or talks nonsense
│   └── CastCancelledError       somebody ended it
└── ExternalClusterError     another Ray cluster cannot be read
    ├── AddressRefusedError      our policy forbids to connect there
    ├── ClusterUnreachableError  nothing answers at its address
    ├── ClusterTooSlowError      no whole answer in time
    ├── NotARayDashboardError    something answers that is no Ray dashboard
    ├── ClusterRedirectsError    it answers with a redirect
    ├── AnswerTooLargeError      it sends more than we take
    ├── BadAnswerError           broken JSON, or of a shape that Ray does not send
    ├── TokenMissingError        it wants a token
    ├── TokenRefusedError        it refuses the token that it got
    └── JobFailedError           it cannot run what CastRay needs there

Each carries its facts as attributes, says in its text what to do, and survives pickling: actors
raise them for callers in other processes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "AddressRefusedError",
    "AmbiguousNameError",
    "AnswerTooLargeError",
    "BadAnswerError",
    "CastCancelledError",
    "CastError",
    "CastRayError",
    "ClusterRedirectsError",
    "ClusterTooSlowError",
    "ClusterUnreachableError",
    "ExternalClusterError",
    "InvalidRequestError",
    "JobFailedError",
    "NotARayDashboardError",
    "NotFoundError",
    "PeerError",
    "RegistryUnavailableError",
    "SettingsError",
    "SourceFileError",
    "TargetFileError",
    "TokenMissingError",
    "TokenRefusedError",
    "UnsafePathError",
]


class CastRayError(Exception):
    """The root of the tree."""


class SettingsError(CastRayError):
    """A setting stops the start.

    Args:
        key: The setting as written where it came from, such as `monitor.port`.
        problem: What is wrong with it, and what would be right.
    """

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(key, problem)
        self.key = key
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.key}: {self.problem}"


class InvalidRequestError(CastRayError):
    """A request that makes no sense; the text says which part, and what would."""


class NotFoundError(CastRayError):
    """There is no such thing.

    Args:
        kind: What was looked for: `node`, `cluster`, `cast`.
        name: The name or id that was given.
    """

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(kind, name)
        self.kind = kind
        self.name = name

    def __str__(self) -> str:
        return f"There is no {self.kind} {self.name!r}; list them to see the names and ids."


class AmbiguousNameError(CastRayError):
    """A name fits several things; `keys` are those to choose from."""

    def __init__(self, kind: str, name: str, keys: Sequence[str]) -> None:
        super().__init__(kind, name, keys)
        self.kind = kind
        self.name = name
        self.keys = tuple(keys)

    def __str__(self) -> str:
        fits = f"{self.name!r} fits {len(self.keys)} {self.kind}s"
        return f"{fits}: use one of {', '.join(self.keys)}."


class RegistryUnavailableError(CastRayError):
    """The registry does not answer; it restarts by itself within seconds when its node lives."""

    def __str__(self) -> str:
        return (
            "The ClusterRegistry actor does not answer; it comes back by itself while its node "
            "lives. If it stays away, start CastRay again with `castray up`."
        )


class CastError(CastRayError):
    """A cast, or one file of it, cannot go on.

    Args:
        subject: Which path, or which host.
        problem: What was seen, and what to do.
    """

    def __init__(self, subject: str, problem: str) -> None:
        super().__init__(subject, problem)
        self.subject = subject
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.subject}: {self.problem}"


class UnsafePathError(CastError):
    """A path that may not be read or written on that node."""


class SourceFileError(CastError):
    """A source file is missing, cannot be read, or changed while it was sent."""


class TargetFileError(CastError):
    """A target cannot be written: something is there, the disk is full or read-only."""


class PeerError(CastError):
    """Another host of the cast is gone, too slow, or sends what makes no sense."""


class CastCancelledError(CastError):
    """Somebody ended the cast."""


class ExternalClusterError(CastRayError):
    """Another Ray cluster cannot be read.

    Args:
        address: Where it was looked for.
        problem: What was seen there, and what to do.
    """

    def __init__(self, address: str, problem: str) -> None:
        super().__init__(address, problem)
        self.address = address
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.address} {self.problem}"


class AddressRefusedError(ExternalClusterError):
    """An address that we do not connect to, whoever asks."""


class ClusterUnreachableError(ExternalClusterError):
    """Nothing answers at that address."""


class ClusterTooSlowError(ExternalClusterError):
    """There was no whole answer in time."""


class NotARayDashboardError(ExternalClusterError):
    """Something answers, but no Ray dashboard."""


class ClusterRedirectsError(ExternalClusterError):
    """It answers with a redirect, which we do not follow."""


class AnswerTooLargeError(ExternalClusterError):
    """It sends more than we take."""


class BadAnswerError(ExternalClusterError):
    """Its answer is broken, or of a shape that Ray does not send."""


class TokenMissingError(ExternalClusterError):
    """It wants a token and got none."""


class TokenRefusedError(ExternalClusterError):
    """It refuses the token that it got."""


class JobFailedError(ExternalClusterError):
    """It cannot run what CastRay needs there."""
