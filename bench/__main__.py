"""Runs benches one after the other; what each prints is kept in bench/out too.

python -m bench [NAME...]
"""

from __future__ import annotations

import argparse
import ast
import subprocess
import sys
from pathlib import Path

__all__ = ["main"]

BENCHES = (
    "status_latency",
    "dashboard_api",
    "fan_out",
    "registry",
    "reporter_call",
    "idle_node",
    "discovery",
    "cast",
)
HERE = Path(__file__).parent
OUT = HERE / "out"


def main() -> None:
    """Run those that are named, or all; the exit status says whether each came to its end."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Runs the named benches, or all of them; bench/out keeps what they print.",
        epilog="\n".join(f"{name:<16}{_first_line(name)}" for name in BENCHES),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="see below")
    names = parser.parse_args().names or BENCHES
    if unknown := set(names) - set(BENCHES):
        parser.error(f"no such bench: {', '.join(sorted(unknown))}")
    OUT.mkdir(exist_ok=True)
    failed = [name for name in names if not _run(name)]
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


def _run(name: str) -> bool:
    command = [sys.executable, "-u", "-m", f"bench.{name}"]
    with (
        (OUT / f"{name}.md").open("w", encoding="utf-8") as kept,
        subprocess.Popen(command, cwd=HERE.parent, stdout=subprocess.PIPE, text=True) as bench,
    ):
        for line in bench.stdout or ():
            print(line, end="", flush=True)
            kept.write(line)
    print(flush=True)
    return bench.returncode == 0


def _first_line(name: str) -> str:
    """What a bench says of itself; read, not imported, so that none is loaded in vain."""
    text = ast.get_docstring(ast.parse((HERE / f"{name}.py").read_text(encoding="utf-8")))
    return (text or "").partition("\n")[0]


if __name__ == "__main__":
    main()
