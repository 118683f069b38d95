"""``make kafka``: a cluster for as long as this runs; ``python -m dev.kafka --help``."""

from __future__ import annotations

import argparse
import signal
import sys
import threading

from dev.kafka import Cluster, NotInstallable


def main() -> int:
    """Run brokers until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m dev.kafka", description=__doc__)
    parser.add_argument("--brokers", type=int, default=3, help="how many (default: %(default)s)")
    parser.add_argument(
        "--port", type=int, default=9092, help="of the first broker; 0 for free ones (default: %(default)s)"
    )
    options = parser.parse_args()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    print("starting; the first time takes about a minute", flush=True)
    try:
        ports = range(options.port, options.port + options.brokers) if options.port else ()
        with Cluster(options.brokers, ports=ports) as cluster:
            print(f"Apache Kafka is at {cluster.addresses}, its logs in {cluster.folder}/*/log, until Ctrl-C")
            print(f"\n    export C2KIT_BUS=kafka:{cluster.addresses}\n", flush=True)
            ended.wait()
    except NotInstallable as error:
        print(error, file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
