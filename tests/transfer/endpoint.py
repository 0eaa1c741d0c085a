"""One end of a cast as a process of its own: `serve` or `receive`, until SIGTERM.

The processes of a cast meet in a directory, where each leaves its address in a file of its name.
"""

from __future__ import annotations

import argparse
import json
import signal
import time
from pathlib import Path
from threading import Thread

from castray.cast_models import IfExists
from castray.core.paths import plan_path
from castray.transfer.beneath import open_root
from castray.transfer.destination import Destination
from castray.transfer.order import Order
from castray.transfer.partial import open_partial
from castray.transfer.peer import Membership, PeerAddress
from castray.transfer.receiver import Receiver
from castray.transfer.scanning import scan
from castray.transfer.server import BlockServer
from castray.transfer.source import SourceShare

SECRET = b"s" * 32
MEET_S = 0.05


def main() -> None:
    options = parse_options()
    # Before any thread starts, so that none of them ends the process.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    options.meet.mkdir(parents=True, exist_ok=True)
    server = BlockServer(options.host)
    tell(event="listening", port=server.port)
    (serve if options.role == "serve" else receive)(options, server)


def serve(options: argparse.Namespace, server: BlockServer) -> None:
    path = plan_path(options.path, [str(options.root)])
    found = scan(path, options.algorithm, is_chained=options.receivers == 1)
    share = SourceShare(found, SECRET, options.bytes_per_s)
    server.add("cast1", share)
    announce(options, server)
    tell(event="ready")
    began_cpu_s = time.process_time()
    signal.sigwait({signal.SIGTERM})
    tell(
        event="end",
        blocks=share.manifest.blocks,
        blocks_sent=share.blocks_sent,
        cpu_seconds=time.process_time() - began_cpu_s,
    )


def receive(options: argparse.Namespace, server: BlockServer) -> None:
    options.root.mkdir(exist_ok=True)
    announce(options, server)
    order = Order(
        Membership("cast1", SECRET, options.name),
        plan_path(options.path, [str(options.root)]),
        IfExists.FAIL,
        source_streams=options.streams,
        patience_s=60,
        keeps_trace=True,
    )
    peers = find_peers(options)
    tell(event="ready")
    began, began_cpu_s = time.monotonic(), time.process_time()
    receiver = Receiver(order, peers, server)
    Thread(target=follow, args=[options, receiver], daemon=True).start()
    outcome = receiver.run()
    tell(
        event="done",
        seconds=time.monotonic() - began,
        cpu_seconds=time.process_time() - began_cpu_s,
        files=outcome.files,
        bytes_received=outcome.bytes_received,
        problems=[f"{problem.path}: {problem.problem}" for problem in outcome.problems],
        bad_blocks=outcome.bad_blocks,
    )
    signal.sigwait({signal.SIGTERM})
    forget(order)


def forget(order: Order) -> None:
    """Remove the trace of a cast, as an agent does once its end is known."""
    directory = Destination(order.destination).directory
    with (
        open_root(order.destination.root) as root,
        open_partial(root, directory, order.membership.cast_id) as partial,
    ):
        partial.discard()


def tell(**facts: object) -> None:
    print(json.dumps(facts), flush=True)  # noqa: T201 - this is how the process answers


def announce(options: argparse.Namespace, server: BlockServer) -> None:
    """Leave our address where the others look."""
    place = options.meet / options.name
    fresh = place.with_suffix(".new")
    fresh.write_text(f"{options.host} {options.behind or server.port}")
    fresh.replace(place)


def find_peers(options: argparse.Namespace) -> list[PeerAddress]:
    """Wait for the source, and see who else is there."""
    while not (options.meet / "source").exists():
        time.sleep(MEET_S)
    peers = []
    for place in sorted(options.meet.iterdir()):
        if place.name != options.name and place.suffix != ".new":
            host, port = place.read_text().split()
            peers.append(PeerAddress(place.name, host, int(port), place.name == "source"))
    return peers


def follow(options: argparse.Namespace, receiver: Receiver) -> None:
    """Hear of everybody who comes or comes back."""
    known: list[PeerAddress] = []
    while True:
        if (peers := find_peers(options)) != known:
            known = peers
            receiver.set_peers(peers)
        time.sleep(MEET_S)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=["serve", "receive"])
    parser.add_argument("root", type=Path)
    parser.add_argument("path")
    parser.add_argument("--name", default="source")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--behind", type=int, metavar="PORT", help="what others are to connect to")
    parser.add_argument("--meet", type=Path, required=True)
    parser.add_argument("--receivers", type=int, default=1)
    parser.add_argument("--streams", type=int, default=2)
    parser.add_argument("--algorithm", default="blake3")
    parser.add_argument("--bytes-per-s", type=float)
    return parser.parse_args()


if __name__ == "__main__":
    main()
