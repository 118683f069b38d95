"""``c2kit sim``: simulated satellites on the network, or in a file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from c2kit.cli.options import DICTIONARY, load, tell

if TYPE_CHECKING:
    from datetime import datetime

    from c2kit.sim.serve import Flight

__all__ = ["sim"]


class _Address(click.ParamType[tuple[str, int]]):
    """``[HOST:]PORT``."""

    name = "address"

    def convert(
        self, value: str | tuple[str, int], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        if isinstance(value, tuple):
            return value
        match = re.fullmatch(r"(?:\[?(?P<host>[^\[\]]+?)\]?:)?(?P<port>\d{1,5})", value)
        if match is None or int(match["port"]) > 65_535:
            self.fail(f"{value!r} is not [HOST:]PORT", param, ctx)
        return match["host"] or "127.0.0.1", int(match["port"])


_ADDRESS = _Address()
_RATE = click.FloatRange(0, 1)


@click.command(short_help="Fly simulated satellites over TCP, UDP or into a file.")
@click.option(
    "-d",
    "--dictionary",
    "dictionaries",
    type=DICTIONARY,
    multiple=True,
    metavar="FILE|DIR",
    help="Definitions of the target, in place of those that come with c2kit. May be given several times.",
)
@click.option("--tcp", type=_ADDRESS, metavar="[HOST:]PORT", help="Serve any number of TCP clients; port 0 is any.")
@click.option("--udp", type=_ADDRESS, metavar="[HOST:]PORT", help="Send a UDP datagram for each packet to there.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write a file.")
@click.option("--target", default="FIREFLY", show_default=True, help="The target that the satellites are.")
@click.option(
    "--satellites", type=click.IntRange(1, 1000), default=1, show_default=True, help="How many: on ports in a row."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Equal seeds give equal satellites.")
@click.option("--seconds", type=click.FloatRange(0), metavar="S", help="End after so much simulated time.")
@click.option(
    "--speed",
    type=click.FloatRange(0),
    metavar="X",
    help="Simulated seconds a second; 0 is as fast as possible. The default is 1, and 0 for a file.",
)
@click.option(
    "--start", type=click.DateTime(), help="Simulated time at the start, UTC. The default is 2027-01-15 08:00."
)
@click.option("--passes", is_flag=True, help="Be there only while a ground station sees it: 10 of 94 minutes.")
@click.option("--wait", is_flag=True, help="Let time stand still until there is a client at every port.")
@click.option("--record", type=click.Path(file_okay=False, path_type=Path), help="Write down what really happened.")
@click.option("--bit-errors", type=_RATE, default=0.0, metavar="RATE", help="Of all bits, those that arrive wrong.")
@click.option("--lost-bytes", type=_RATE, default=0.0, metavar="RATE", help="Of all packets, those that lack bytes.")
@click.option("--duplicates", type=_RATE, default=0.0, metavar="RATE", help="Of all packets, those that come twice.")
@click.option("--reordered", type=_RATE, default=0.0, metavar="RATE", help="Of all packets, those that come late.")
@click.option("--drop-every", type=click.FloatRange(0), metavar="S", help="Break all connections every S real seconds.")
def sim(  # noqa: PLR0913 - an option each
    *,
    dictionaries: tuple[str, ...],
    tcp: tuple[str, int] | None,
    udp: tuple[str, int] | None,
    output: Path | None,
    target: str,
    satellites: int,
    seed: int,
    seconds: float | None,
    speed: float | None,
    start: datetime | None,
    passes: bool,
    wait: bool,
    record: Path | None,
    bit_errors: float,
    lost_bytes: float,
    duplicates: float,
    reordered: float,
    drop_every: float | None,
) -> None:
    """Fly simulated satellites: FIREFLY of the example dictionary, in as many copies as wanted.

    Telemetry goes to all TCP clients, to a UDP address, or into a file; commands are taken from any of the clients,
    checked, carried out and acknowledged. Where the satellites listen is told on stderr.

    \b
    c2kit sim --tcp 10025
    c2kit sim --tcp 10025 --satellites 100 --speed 10
    c2kit sim -o firefly.tlm --seconds 600 --bit-errors 1e-6
    """  # noqa: D301 - \b is how click keeps lines apart
    import contextlib
    import selectors
    from datetime import UTC

    from c2kit.sim import BEGIN_NS, DICTIONARY_DIRECTORY, FaultRates, FaultyLink, Satellite
    from c2kit.sim.ports import FilePort, Port, TcpPort, UdpPort
    from c2kit.sim.serve import Flight, Record, Simulator

    if sum(way is not None for way in (tcp, udp, output)) != 1:
        raise click.UsageError("where shall it go: give one of --tcp, --udp and -o")
    if output is not None and seconds is None:
        raise click.UsageError("a file needs an end: give --seconds")
    rates = FaultRates(bit_errors=bit_errors, lost_bytes=lost_bytes, duplicates=duplicates, reordered=reordered)
    dictionary = load(dictionaries or [str(DICTIONARY_DIRECTORY)], None)
    start_ns = BEGIN_NS if start is None else int(start.replace(tzinfo=UTC).timestamp()) * 10**9

    def port_of(number: int, satellite: Satellite) -> Port:
        if output is not None:
            return FilePort(output if satellites == 1 else output.with_stem(f"{output.stem}-{number + 1}"))
        if udp is not None:
            return UdpPort((udp[0], udp[1] + number), selector, satellite.command)
        assert tcp is not None  # noqa: S101 - for the type checker
        return TcpPort((tcp[0], tcp[1] and tcp[1] + number), selector, satellite.command)

    flights: list[Flight] = []
    with selectors.DefaultSelector() as selector, contextlib.ExitStack() as opened:
        for number in range(satellites):
            name = target if satellites == 1 else f"{target}-{number + 1}"
            satellite = Satellite(
                dictionary, seed=seed, name=name, target=target, start_ns=start_ns, passes=passes, record=False
            )
            port = port_of(number, satellite)
            opened.callback(port.close)
            flight = Flight(satellite, FaultyLink(rates, seed=seed + number), port)
            if record is not None:
                flight.record = Record(record, name)
                opened.callback(flight.record.close)
            flights.append(flight)
            tell(f"{name}: {port.where}")
        pace = speed if speed is not None else (0.0 if output is not None else 1.0)
        Simulator(flights, selector, speed=pace, seconds=seconds, waits=wait, drop_every_s=drop_every).run()
    _tell_what_was(flights)


def _tell_what_was(flights: list[Flight]) -> None:
    for flight in flights:
        faults = f", {len(flight.link.faults):,} faults" if flight.link.faults else ""
        commands = len(flight.satellite.received)
        tell(f"{flight.satellite.name}: {flight.packets:,} packets down, {commands:,} commands up{faults}")
