"""`python -m castray.monitor`: the monitor where neither Ray nor CastRay's CLI is installed."""

from __future__ import annotations

from argparse import ArgumentParser

from castray.monitor.service import run_monitor

__all__ = ["build_parser", "main"]


def main(arguments: list[str] | None = None) -> None:
    """Run a monitor as the command line says."""
    run_monitor(**vars(build_parser().parse_args(arguments)))


def build_parser() -> ArgumentParser:
    """The options; their names are those of `run_monitor`."""
    parser = ArgumentParser(prog="castray monitor", description="The CM-ZSB monitor of this node.")
    parser.add_argument("--host", default="0.0.0.0", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on (%(default)s)")
    parser.add_argument(
        "--allow-remote-updates",
        action="store_true",
        help="take reports from other machines too: anyone who reaches the port can then send one",
    )
    return parser


if __name__ == "__main__":
    main()
