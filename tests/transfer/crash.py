"""Harms the hosts and links of a cast at random moments, and looks at what is left.

    python -m tests.transfer.crash --runs 200 --seed 1

Each run casts a tree with large and small files between processes, each behind a link of its own.
At moments drawn from the seed senders and receivers are killed with SIGKILL and started again,
connections are broken, and links are frozen until the next harm, which nobody is told.
After each harm: nothing wrong or partial lies under a final name. In the end: every file is
there, nothing is left of the cast, and what came over the source's links again is at most one
block for each stream and harm.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from castray.transfer.peer import PeerAddress
from tests.transfer.proxy import Proxy
from tests.transfer.site import tree_of

__all__ = ["CrashRun", "main"]

MIB = 1 << 20
SOURCE = "source"
REPOSITORY = Path(__file__).resolve().parents[2]

STREAMS = 2
HARMS = ["kill", "kill", "break", "freeze"]
MAX_HARMS = 5
FROZEN_S = 2.0
TIMEOUT_S = 120.0
POLL_S = 0.002

MOMENT_S = 0.05
"""About as long takes what comes after the last byte."""

STILL_S = 1.0
"""So long is waited for bytes: a link may be frozen, or all may have arrived."""

TALK_BYTES = 64 * 1024
"""What else than blocks the source sends at most for each harm: greetings, manifest, digests."""


class Endpoint:
    """A process of the cast, all that it has told, and the link to it."""

    def __init__(self, run: CrashRun, name: str) -> None:
        self.name = name
        self.log = run.directory / f"{name}-{time.monotonic_ns()}.log"
        self.link = Proxy(self.address)
        role = "serve" if name == SOURCE else "receive"
        command = [sys.executable, "-m", "tests.transfer.endpoint", role]
        command += [str(run.directory / name), "tree", "--name", name]
        command += ["--meet", str(run.directory / "meet"), "--behind", str(self.link.port)]
        command += ["--receivers", str(len(run.receivers)), "--streams", str(STREAMS)]
        if run.bytes_per_s:
            command += ["--bytes-per-s", str(run.bytes_per_s)]
        with self.log.open("w") as output:
            self.process = subprocess.Popen(
                command, cwd=REPOSITORY, stdout=output, stderr=subprocess.STDOUT
            )

    def address(self) -> PeerAddress:
        """Where it listens itself.

        Raises:
            ConnectionRefusedError: It does not yet.
        """
        if (facts := self.told("listening")) is None:
            raise ConnectionRefusedError(self.name)
        return PeerAddress(self.name, "127.0.0.1", facts["port"])

    def told(self, event: str) -> dict[str, Any] | None:
        """What it said at that event, if it has come."""
        for line in self.log.read_text().splitlines():
            if line.startswith("{") and line.endswith("}") and json.loads(line)["event"] == event:
                return dict(json.loads(line))
        return None

    def wait(self, event: str) -> dict[str, Any]:
        """Wait for that event."""
        deadline = time.monotonic() + TIMEOUT_S
        while (facts := self.told(event)) is None:
            has_ended = self.process.poll() is not None
            assert not has_ended, f"{self.name} ended: {self.log.read_text()}"
            assert time.monotonic() < deadline, f"{self.name} hangs: {self.log.read_text()}"
            time.sleep(POLL_S)
        return facts

    def end(self, number: int) -> None:
        """End it, and the link to it."""
        self.process.send_signal(number)
        self.process.wait()
        self.link.close()


class CrashRun:
    """One cast with its harms, all drawn from a seed.

    Args:
        seed: Draws everything.
        directory: An empty directory to work in.
        receivers: How many receive.

    Attributes:
        harms: How often each was done to whom.
    """

    def __init__(self, seed: int, directory: Path, receivers: int) -> None:
        self.directory = directory
        self.receivers = [f"r{number}" for number in range(receivers)]
        self.random = random.Random(seed)  # noqa: S311
        self.harms: Counter[tuple[str, str]] = Counter()
        self.endpoints: dict[str, Endpoint] = {}
        # With a limit harm falls into the sending, without into all that comes after it.
        self.bytes_per_s = self.random.choice([None, 8 * MIB])
        self._content: dict[str, Any] = {}
        self._bytes = 0
        self._source_links: list[Proxy] = []

    def run(self) -> None:
        """Cast, harm, and look.

        Raises:
            AssertionError: Something is there that must not be, or is missing.
        """
        self.write_source()
        try:
            for name in [SOURCE, *self.receivers]:
                self.start(name)
            count = self.random.randint(1, MAX_HARMS)
            for _ in range(count):
                self.harm_one(1 / count)
            self.thaw()
            for name in self.receivers:
                outcome = self.endpoints[name].wait("done")
                assert outcome["problems"] == [], outcome
            self.check_end()
        finally:
            for endpoint in self.endpoints.values():
                endpoint.end(signal.SIGKILL)

    def start(self, name: str) -> None:
        """Start a process of the cast."""
        self.endpoints[name] = Endpoint(self, name)
        if name == SOURCE:
            self._source_links.append(self.endpoints[name].link)

    def write_source(self) -> None:
        tree = self.directory / SOURCE / "tree"
        tree.mkdir(parents=True)
        for number in range(2):
            size = self.random.randrange(2 * MIB, 6 * MIB)
            (tree / f"large-{number}.bin").write_bytes(self.random.randbytes(size))
        for number in range(60):
            size = self.random.randrange(100_000)
            (tree / f"small-{number}.txt").write_bytes(self.random.randbytes(size))
        self._content = tree_of(self.directory / SOURCE)
        self._bytes = sum(path.stat().st_size for path in tree.iterdir())

    def harm_one(self, share: float) -> None:
        """Do something to a process or its link at a random moment of that share of the work."""
        harm = self.random.choice(HARMS)
        # Nobody asks a single receiver for anything.
        givers = self.receivers if len(self.receivers) > 1 else []
        victim = self.random.choice([SOURCE, *(self.receivers if harm == "kill" else givers)])
        moment_bytes = self.random.uniform(0, 1.2) * share * self._bytes
        moment_s = self.random.uniform(0, MOMENT_S)
        frozen_s = self.random.uniform(0, FROZEN_S)

        self.endpoints[victim].wait("ready")
        self.wait_for_bytes(moment_bytes)
        time.sleep(moment_s)
        # Who has everything is not started again: there is nothing left to go on with.
        receivers = self.receivers if victim == SOURCE else [victim]
        if all(self.endpoints[name].told("done") for name in receivers):
            return
        self.harms[harm, victim] += 1
        if harm == "kill":
            self.endpoints[victim].end(signal.SIGKILL)
            self.check_names()
            self.start(victim)
        elif harm == "break":
            self.endpoints[victim].link.sever()
        self.thaw()
        if harm == "freeze":
            self.endpoints[victim].link.freeze()
            time.sleep(frozen_s)
        self.check_names()

    def wait_for_bytes(self, count: float) -> None:
        """Wait until the source has sent so many more, or for a while."""
        count += self.bytes_sent
        deadline = time.monotonic() + STILL_S
        while self.bytes_sent < count and time.monotonic() < deadline:
            time.sleep(POLL_S)

    @property
    def bytes_sent(self) -> int:
        return sum(link.passed for link in self._source_links)

    def thaw(self) -> None:
        """Let the links pass on again."""
        for endpoint in self.endpoints.values():
            endpoint.link.thaw()

    def check_names(self) -> None:
        """There is nothing but whole and right files under final names."""
        for name in self.receivers:
            there = tree_of(self.directory / name, with_partials=False)
            for path, (kind, content, *_) in there.items():
                if kind == "file":
                    assert content == self._content[path][1], f"{name} has a wrong {path}"

    def check_end(self) -> None:
        """Everything is there as it was, nothing is left, and little was sent twice."""
        for name in self.receivers:
            self.endpoints[name].end(signal.SIGTERM)
            there = tree_of(self.directory / name)
            paths = sorted(there.keys() | self._content.keys())
            wrong = [path for path in paths if there.get(path) != self._content.get(path)]
            assert wrong == [], f"{name} differs in these"
        if len(self.receivers) == 1:
            harms = self.harms.total()
            allowed = harms * STREAMS * MIB + (1 + harms) * TALK_BYTES
            again = self.bytes_sent - self._bytes
            assert again <= allowed, f"{again} bytes were sent again, {allowed} at most may be"


def main() -> None:
    """Run as many as asked for; the first that fails ends it, with its seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--receivers", type=int, default=1)
    options = parser.parse_args()
    harms: Counter[str] = Counter()
    for number in range(options.runs):
        seed = options.seed + number
        with TemporaryDirectory(prefix="castray-crash-") as directory:
            run = CrashRun(seed, Path(directory), options.receivers)
            try:
                run.run()
            except AssertionError:
                print(f"seed {seed} fails", file=sys.stderr)  # noqa: T201
                raise
        harms += Counter(" ".join(harm) for harm in run.harms.elements())
        print(f"{number + 1} runs, {harms.total()} harms: {dict(harms)}", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
