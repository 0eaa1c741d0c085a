"""Kills the hosts of a cast at random moments, again and again, and looks at what is left.

    python -m tests.transfer.crash --runs 200 --seed 1

Each run casts a tree with large and small files between processes. Senders and receivers are
killed with SIGKILL at moments drawn from the seed, and started again, until the cast completes.
Whenever a process is dead: nothing wrong or partial lies under a final name. In the end: every
file is there, nothing is left of the cast, and what was sent again is at most one block for each
stream and kill.
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

from tests.transfer.site import tree_of

__all__ = ["CrashRun", "main"]

MIB = 1 << 20
SOURCE = "source"
REPOSITORY = Path(__file__).resolve().parents[2]

STREAMS = 2
MAX_KILLS = 5
TIMEOUT_S = 120.0
POLL_S = 0.002


class Endpoint:
    """A process of the cast, and all that it has told."""

    def __init__(self, run: CrashRun, name: str) -> None:
        self.name = name
        self.log = run.directory / f"{name}-{time.monotonic_ns()}.log"
        role = "serve" if name == SOURCE else "receive"
        command = [sys.executable, "-m", "tests.transfer.endpoint", role]
        command += [str(run.directory / name), "tree", "--name", name]
        command += ["--meet", str(run.directory / "meet")]
        command += ["--receivers", str(len(run.receivers)), "--streams", str(STREAMS)]
        if run.bytes_per_s:
            command += ["--bytes-per-s", str(run.bytes_per_s)]
        with self.log.open("w") as output:
            self.process = subprocess.Popen(
                command, cwd=REPOSITORY, stdout=output, stderr=subprocess.STDOUT
            )

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
        self.process.send_signal(number)
        self.process.wait()


class CrashRun:
    """One cast with its kills, all drawn from a seed.

    Args:
        seed: Draws everything.
        directory: An empty directory to work in.
        receivers: How many receive.
    """

    def __init__(self, seed: int, directory: Path, receivers: int) -> None:
        self.directory = directory
        self.receivers = [f"r{number}" for number in range(receivers)]
        self.random = random.Random(seed)  # noqa: S311
        self.kills: Counter[str] = Counter()
        self.endpoints: dict[str, Endpoint] = {}
        # With a limit kills fall into the sending, without into all that comes after it.
        self.bytes_per_s = self.random.choice([None, 16 * MIB])
        self._content: dict[str, Any] = {}

    def run(self) -> None:
        """Cast, kill, and look.

        Raises:
            AssertionError: Something is there that must not be, or is missing.
        """
        self.write_source()
        try:
            for name in [SOURCE, *self.receivers]:
                self.endpoints[name] = Endpoint(self, name)
            for _ in range(self.random.randint(1, MAX_KILLS)):
                self.kill_one()
            for name in self.receivers:
                outcome = self.endpoints[name].wait("done")
                assert outcome["problems"] == [], outcome
            self.check_end()
        finally:
            for endpoint in self.endpoints.values():
                endpoint.end(signal.SIGKILL)

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

    def kill_one(self) -> None:
        """Kill a process at a random moment of its work, and start it again."""
        victim = self.random.choice([SOURCE, *self.receivers])
        self.endpoints[victim].wait("ready")
        size = sum(len(content or "") for _, content, *_ in self._content.values())
        takes_s = size / self.bytes_per_s if self.bytes_per_s else 0.15
        time.sleep(self.random.uniform(0, 1.2 * takes_s))
        # Who has everything is not started again: there is nothing left to go on with.
        if self.endpoints[victim].told("done"):
            return
        self.endpoints[victim].end(signal.SIGKILL)
        self.kills[victim] += 1
        self.check_names()
        self.endpoints[victim] = Endpoint(self, victim)

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
            assert tree_of(self.directory / name) == self._content, f"{name} has another tree"
        if not self.kills[SOURCE] and len(self.receivers) == 1:
            source = self.endpoints[SOURCE]
            source.end(signal.SIGTERM)
            facts = source.told("end")
            assert facts is not None, source.log.read_text()
            again = facts["blocks_sent"] - facts["blocks"]
            allowed = STREAMS * self.kills.total()
            assert again <= allowed, f"{again} blocks were sent again, {allowed} at most may be"


def main() -> None:
    """Run as many as asked for; the first that fails ends it, with its seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--receivers", type=int, default=1)
    options = parser.parse_args()
    kills: Counter[str] = Counter()
    for number in range(options.runs):
        seed = options.seed + number
        with TemporaryDirectory(prefix="castray-crash-") as directory:
            run = CrashRun(seed, Path(directory), options.receivers)
            try:
                run.run()
            except AssertionError:
                print(f"seed {seed} fails", file=sys.stderr)  # noqa: T201
                raise
        kills += run.kills
        print(f"{number + 1} runs, {kills.total()} kills: {dict(kills)}", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
