"""Definitions for recordings whose own are in formats that c2kit does not read: turned into its YAML here."""

from __future__ import annotations

import csv
from pathlib import Path

import yaml

from tests.real_data.recordings import (
    BYTE_ORDERS,
    CYGNSS,
    CYGNSS_BY_APID,
    HS,
    JPSS,
    SUDA,
    VARIABLE,
    VARIABLE_WITH_FOOTER,
    Recording,
)

__all__ = ["PRIMARY_HEADER", "cygnss_yaml", "definition_of", "header_yaml"]

HERE = Path(__file__).parent

PRIMARY_HEADER = {
    "CCSDS_VERSION_NUMBER": "u3",
    "CCSDS_PACKET_TYPE": "u1",
    "CCSDS_SECONDARY_FLAG": "u1",
    "CCSDS_APID": "u11",
    "CCSDS_SEQUENCE_FLAG": "u2",
    "CCSDS_SEQUENCE_COUNT": "u14",
    "CCSDS_PACKET_LENGTH": "u16",
}
"""CCSDS 133.0-B-2, 4.1.3, by the names of the reference tables."""


def header_yaml(folder: Path, csv_file: Path | None = None, name: str = "PACKET") -> Path:
    """A definition that any space packet meets: its primary header, and what a CSV file adds to it."""
    packet: dict[str, object] = {"extends": "PRIMARY"}
    if csv_file is not None:
        packet["csv"] = str(csv_file)
    content = {"target": "ANY", "headers": {"PRIMARY": {"items": PRIMARY_HEADER}}, "packets": {name: packet}}
    return _write(folder / "header.yaml", content)


def cygnss_yaml(real_data: Path, folder: Path) -> Path:
    """All packets of CYGNSS that its tables define: one table a packet, and one that tells their APIDs."""
    tables = real_data / "ccsdspy/split/defs"
    apids: dict[str, int] = {row["Packet Short Name"]: int(row["APID"], 16) for row in _rows(tables / "Overview.csv")}
    packets: dict[str, dict[str, object]] = {}
    for name, apid in apids.items():
        if (tables / f"{name}.csv").exists():
            packets[name] = {
                "extends": "PRIMARY",
                "identify": {"CCSDS_APID": apid},
                "items": _cygnss_items(tables, name),
            }
            # Two packets have the same APID. One of them must stand back.
            packets[name]["fallback"] = apid in [apids[other] for other in list(packets)[:-1]]
    content = {"target": "CYGNSS", "headers": {"PRIMARY": {"items": PRIMARY_HEADER}}, "packets": packets}
    return _write(folder / "cygnss.yaml", content)


def definition_of(recording: Recording, real_data: Path, folder: Path) -> Path:
    """The definition by which a recording is decoded; if need be it is written into a folder."""
    files = {one: real_data / f"ccsdspy/hs/apid{apid:03}/defs.csv" for apid, one in HS.items()}
    files |= {JPSS: real_data / "space_packet_parser/jpss/ccsdspy_jpss1_geolocation.csv", SUDA: HERE / "suda.yaml"}
    texts = {one: f"BODY,uint(80),{8 * len(order)},{order}\n" for order, one in BYTE_ORDERS.items()}
    texts |= {VARIABLE: "DATA,uint(expand),16\n", VARIABLE_WITH_FOOTER: "DATA,uint(expand),16\nFOOTER,uint,16\n"}
    if recording in files:
        return files[recording]
    if recording in texts:
        return _write(folder / "packet.csv", f"name,data_type,bit_length,byteOrder\n{texts[recording]}")
    if recording in (CYGNSS, *CYGNSS_BY_APID.values()):
        return cygnss_yaml(real_data, folder)
    return header_yaml(folder)


def _cygnss_items(tables: Path, name: str) -> dict[str, str]:
    items = {}
    end = 0
    for row in _rows(tables / f"{name}.csv"):
        size = int(row["Data Size"])
        assert 8 * int(row["Start Byte"]) + int(row["Start Bit"]) == end, "the table leaves nothing out"
        end += size
        items[row["Mnemonic"].strip()] = _cygnss_type(row["Type"], size)
    # The table's first rows are the primary header, by other names.
    return dict(list(items.items())[len(PRIMARY_HEADER) :])


def _cygnss_type(spelled: str, size: int) -> str:
    """``U1234`` is an unsigned integer whose most significant byte comes first, ``F4321`` a float that ends with it."""
    if size > 64:
        return f"bytes[{size // 8}]"
    kind, order = spelled[0].lower(), spelled[1:]
    is_little = order[0] > order[-1] and size % 8 == 0
    return f"{kind}{size}{'le' if is_little else ''}"


def _rows(table: Path) -> list[dict[str, str]]:
    with table.open(encoding="utf-8-sig", newline="") as file:
        return [{key.strip(): cell for key, cell in row.items() if key} for row in csv.DictReader(file)]


def _write(file: Path, content: object) -> Path:
    file.write_text(content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False))
    return file
