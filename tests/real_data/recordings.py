"""The recordings that these tests decode: where they are, how their packets are framed, and what they hold."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any, NamedTuple

from c2kit.protocols import CcsdsPackets


class Recording(NamedTuple):
    """A file of space packets back to back."""

    path: str
    packets: int
    skip_bytes: int = 0
    versions: tuple[int, ...] = (0,)

    @property
    def framing(self) -> CcsdsPackets:
        """A protocol that finds its packets."""
        return CcsdsPackets(skip_bytes=self.skip_bytes, versions=self.versions)

    def data(self, folder: Path) -> bytes:
        """All its bytes."""
        return (folder / self.path).read_bytes()

    def __str__(self) -> str:
        """What it is called in a test's name."""
        return Path(self.path).stem


_HS = "ccsdspy/hs/apid{0:03}/SSAT1_2015-180-00-00-00_2015-180-{1}_{0}_1_sim.tlm"

CYGNSS = Recording("ccsdspy/split/CYGNSS_F7_L0_2022_086_10_15_V01_F__first101pkts.tlm", 101)
CYGNSS_BY_APID = {
    apid: Recording(f"ccsdspy/split/apid{apid:05}.tlm", packets)
    for apid, packets in {384: 4, 386: 4, 391: 1, 392: 4, 393: 40, 394: 39, 1313: 9}.items()
}
HS = {
    1: Recording(_HS.format(1, "01-59-58"), 1448),
    10: Recording(_HS.format(10, "00-59-59"), 3513),
    130: Recording(_HS.format(130, "01-59-35"), 14_351),
}
JPSS = Recording("space_packet_parser/jpss/J01_G011_LZ_2021-04-09T00-00-00Z_V01.DAT1", 7200)
SUDA = Recording("space_packet_parser/suda/sciData_2022_130_17_41_53.spl", 13, skip_bytes=4)
SWAPI = Recording("imap/tests/swapi/l0_data/imap_swapi_l0_raw_20240924_v001.pkts", 463)
CODICE = Recording("imap/tests/codice/data/imap_codice_l0_lo-pha_20240429_v001.pkts", 9)
BYTE_ORDERS = {
    order: Recording(f"ccsdspy/byte_order/byteorder_{order}.bin", 10, versions=(1,))
    for order in ("1", "12", "21", "1234", "4321", "12345678")
}
VARIABLE = Recording("ccsdspy/var_length/var_length_packets.bin", 10, versions=(1,))
VARIABLE_WITH_FOOTER = Recording("ccsdspy/var_length/var_length_packets_with_footer.bin", 10, versions=(1,))

ALL = [
    CYGNSS,
    *CYGNSS_BY_APID.values(),
    *HS.values(),
    JPSS,
    SUDA,
    SWAPI,
    CODICE,
    *BYTE_ORDERS.values(),
    VARIABLE,
    VARIABLE_WITH_FOOTER,
]


def published(folder: Path, recording: Recording) -> dict[str, Any]:
    """What ``expected/dev_streams.json`` says of a recording."""
    streams: dict[str, dict[str, Any]] = json.loads((folder / "expected/dev_streams.json").read_text())
    return streams[recording.path]


def packets_of(recording: Recording, data: bytes) -> list[bytes]:
    """All packets that are found in some bytes."""
    framing = recording.framing
    return [packet for batch in (*framing.receive(data), *framing.end()) for packet in batch]


def reference_columns(folder: Path, path: str) -> dict[str, list[str]]:
    """The columns of a table of reference values, as text."""
    with gzip.open(folder / "reference" / path, "rt", newline="") as file:
        header, *rows = csv.reader(file)
    return dict(zip(header, map(list, zip(*rows, strict=True)), strict=True))
