"""Values of recordings, all of them, equal to what their authors published or an independent decoder gave."""

import json
import struct
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from c2kit.model.fields import Encoding, Field
from tests.real_data import chain
from tests.real_data.chain import Decode, Decoded, load
from tests.real_data.definitions import PRIMARY_HEADER, cygnss_yaml, header_yaml
from tests.real_data.recordings import (
    BYTE_ORDERS,
    CYGNSS,
    CYGNSS_BY_APID,
    HS,
    JPSS,
    SUDA,
    SWAPI,
    VARIABLE,
    VARIABLE_WITH_FOOTER,
    Recording,
    published,
    reference_columns,
)

HERE = Path(__file__).parent


def assert_accounted_for(decoded: Decoded, recording: Recording) -> None:
    """All packets were decoded and nothing fell aside."""
    assert (decoded.frames, decoded.unknown, decoded.discarded_bytes) == (recording.packets, 0, 0)
    assert decoded.packets.total() == recording.packets


def parsed(cells: list[str], field: Field) -> list[Any]:
    """Values of a field from text, exactly."""
    if field.encoding.is_bytes:
        return [bytes.fromhex(cell.removeprefix("0x")) for cell in cells]
    return [float(cell) if field.encoding.is_float else int(cell) for cell in cells]


def the_fields(definitions: Path, packet: str) -> dict[str, Field]:
    (target,) = load(definitions).targets
    return {item.name: item for item in target.packet(packet).items}


# Fixed layouts by ccsdspy CSV files.


def hs_definition(real_data: Path, apid: int) -> Path:
    return real_data / f"ccsdspy/hs/apid{apid:03}/defs.csv"


@pytest.mark.parametrize("apid", HS)
def test_fixed_layouts_have_the_reference_values(real_data: Path, apid: int, decode: Decode) -> None:
    definition = hs_definition(real_data, apid)
    fields = the_fields(definition, "DEFS")

    decoded = decode(HS[apid].data(real_data), definition, HS[apid].framing)

    assert_accounted_for(decoded, HS[apid])
    assert decoded.sequence_breaks == Counter()
    expected = reference_columns(real_data, f"ccsdspy/hs_apid{apid:03}.csv.gz")
    assert decoded.raw["DEFS"] == {name: parsed(cells, fields[name]) for name, cells in expected.items()}
    assert list(decoded.raw["DEFS"]) == list(expected)
    assert any("the end of the primary header" in note for note in decoded.notes)


def calibrated(text: str, raw: int) -> Any:  # noqa: ANN401 - a state's name or a number
    """What a calibration of these files makes of a raw value, by the shortest way from its JSON."""
    calibration = json.loads(text)
    if all(isinstance(value, float | int) for value in calibration.values()):
        return sum(coefficient * float(raw) ** int(power) for power, coefficient in calibration.items())
    for key, state in calibration.items():
        bounds = json.loads(key)
        low, high = bounds if isinstance(bounds, list) else (bounds, bounds)
        if low <= raw <= high:
            return state
    return str(raw)


@pytest.mark.parametrize("apid", HS)
def test_fixed_layouts_have_the_engineering_values_of_their_calibrations(
    real_data: Path, apid: int, decode: Decode
) -> None:
    lines = [line.split(",", 4) for line in hs_definition(real_data, apid).read_text().splitlines()[1:]]
    texts = {name: cell.strip('"').replace('""', '"') for name, *_, cell in lines if cell}
    assert texts

    decoded = decode(HS[apid].data(real_data), hs_definition(real_data, apid), HS[apid].framing)

    for name, text in texts.items():
        expected = [calibrated(text, raw) for raw in decoded.raw["DEFS"][name]]
        is_polynomial = isinstance(expected[0], float)
        assert decoded.text["DEFS"][name] == (pytest.approx(expected, rel=1e-12) if is_polynomial else expected)
    for name in decoded.raw["DEFS"].keys() - texts.keys():
        raw = decoded.raw["DEFS"][name]
        assert decoded.text["DEFS"][name] == [one.decode() if isinstance(one, bytes) else one for one in raw]


def test_jpss_1_has_the_reference_values_by_its_csv_alone(real_data: Path, decode: Decode) -> None:
    definition = real_data / "space_packet_parser/jpss/ccsdspy_jpss1_geolocation.csv"
    packet = "CCSDSPY_JPSS1_GEOLOCATION"
    fields = the_fields(definition, packet)

    decoded = decode(JPSS.data(real_data), definition, JPSS.framing)

    assert_accounted_for(decoded, JPSS)
    assert decoded.sequence_breaks == Counter()
    expected = reference_columns(real_data, "ccsdspy/jpss1.csv.gz")
    assert decoded.raw[packet] == {name: parsed(expected[name], field) for name, field in fields.items()}
    assert sum(map(len, decoded.raw[packet].values())) == 144_000
    assert any("after the primary header" in note for note in decoded.notes)


def test_jpss_1_has_the_reference_values_and_headers_by_its_csv_behind_a_header(
    real_data: Path, tmp_path: Path, decode: Decode
) -> None:
    definition = header_yaml(tmp_path, real_data / "space_packet_parser/jpss/ccsdspy_jpss1_geolocation.csv")
    fields = the_fields(definition, "PACKET")

    decoded = decode(JPSS.data(real_data), definition, JPSS.framing)

    assert_accounted_for(decoded, JPSS)
    expected = reference_columns(real_data, "ccsdspy/jpss1.csv.gz")
    assert decoded.raw["PACKET"] == {name: parsed(cells, fields[name]) for name, cells in expected.items()}
    assert len(expected) == 27


def test_jpss_1_has_the_values_that_a_second_decoder_gives(real_data: Path, tmp_path: Path) -> None:
    definition = header_yaml(tmp_path, real_data / "space_packet_parser/jpss/ccsdspy_jpss1_geolocation.csv")
    fields = the_fields(definition, "PACKET")

    decoded = chain.decode(JPSS.data(real_data), definition, JPSS.framing)

    table = reference_columns(real_data, "spp/jpss1_geolocation.csv.gz")
    compared = 0
    for packet, name, cell in zip(map(int, table["packet"]), table["name"], table["raw"], strict=True):
        if name in fields:
            assert decoded.raw["PACKET"][name][packet] == parsed([cell], fields[name])[0]
            compared += 1
    assert compared == 144_000


# Byte orders.


@pytest.mark.parametrize("order", BYTE_ORDERS)
@pytest.mark.parametrize("spelling", ["array", "in type", "grid", "expand", "fields"])
def test_bytes_in_any_order_have_the_published_values(
    real_data: Path, tmp_path: Path, order: str, spelling: str, decode: Decode
) -> None:
    bits = 8 * len(order)
    rows = {
        "array": [f"BODY,uint,{bits},{order},80"],
        "in type": [f"BODY,uint(80),{bits},{order},"],
        "grid": [f'BODY,uint,{bits},{order},"(40, 2)"'],
        "expand": [f"BODY,uint,{bits},{order},expand"],
        "fields": [f"BODY{index},uint,{bits},{order}," for index in range(80)],
    }[spelling]
    definition = tmp_path / "body.csv"
    definition.write_text("\n".join(["name,dataType,bitLength,byteOrder,arrayShape", *rows]))
    text = (real_data / BYTE_ORDERS[order].path).with_suffix(".csv").read_text()
    expected = [[int(cell) for cell in line.split(",")] for line in text.splitlines()]

    decoded = decode(BYTE_ORDERS[order].data(real_data), definition, BYTE_ORDERS[order].framing)

    assert_accounted_for(decoded, BYTE_ORDERS[order])
    assert decoded.sequence_breaks == Counter()
    assert [len(values) for values in expected] == [80] * 10
    columns = decoded.raw["BODY"]
    if spelling == "fields":
        assert [list(values) for values in zip(*columns.values(), strict=True)] == expected
    elif spelling == "grid":
        assert columns["BODY"] == [[list(pair) for pair in zip(*[iter(row)] * 2, strict=True)] for row in expected]
    else:
        assert columns["BODY"] == expected


# Packets of varying length.

# Each packet has a count of elements, in its first element too; each of the others is one more.
COUNTS = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]
ELEMENTS = [list(range(count, 2 * count)) for count in COUNTS]


def test_an_expanding_array_has_the_values_of_the_published_rule(
    real_data: Path, tmp_path: Path, decode: Decode
) -> None:
    definition = tmp_path / "data.csv"
    definition.write_text("name,data_type,bit_length\nDATA,uint(expand),16\n")

    decoded = decode(VARIABLE.data(real_data), definition, VARIABLE.framing)

    assert_accounted_for(decoded, VARIABLE)
    assert decoded.sequence_breaks == Counter()
    assert decoded.raw["DATA"] == {"DATA": ELEMENTS}


def test_an_expanding_array_leaves_a_footer_alone(real_data: Path, tmp_path: Path, decode: Decode) -> None:
    definition = tmp_path / "data.csv"
    definition.write_text("name,data_type,bit_length\nDATA,uint(expand),16\nFOOTER,uint,16\n")

    decoded = decode(VARIABLE_WITH_FOOTER.data(real_data), definition, VARIABLE_WITH_FOOTER.framing)

    assert_accounted_for(decoded, VARIABLE_WITH_FOOTER)
    assert decoded.raw["DATA"] == {"DATA": ELEMENTS, "FOOTER": [1] * 10}


def test_an_array_sized_by_its_first_element_is_the_same(real_data: Path, tmp_path: Path, decode: Decode) -> None:
    definition = tmp_path / "data.yaml"
    definition.write_text(
        "target: VARIABLE\npackets:\n  DATA:\n    items:\n"
        "      COUNT: {type: u16, at_byte: 6}\n      REST: 'u16[COUNT - 1]'\n      FOOTER: u16\n"
    )

    decoded = decode(VARIABLE_WITH_FOOTER.data(real_data), definition, VARIABLE_WITH_FOOTER.framing)

    assert_accounted_for(decoded, VARIABLE_WITH_FOOTER)
    rest = [elements[1:] for elements in ELEMENTS]
    assert decoded.raw["DATA"] == {"COUNT": COUNTS, "REST": rest, "FOOTER": [1] * 10}


def suda_values(real_data: Path) -> dict[str, list[str]]:
    return reference_columns(real_data, "spp/suda.csv.gz")


def test_suda_has_the_reference_values_of_both_kinds_of_packets(real_data: Path, decode: Decode) -> None:
    decoded = decode(SUDA.data(real_data), HERE / "suda.yaml", SUDA.framing)

    assert_accounted_for(decoded, SUDA)
    assert decoded.sequence_breaks == Counter()
    assert decoded.packets == {"EVENT": 1, "WAVEFORM": 12}
    assert decoded.anomalies == Counter()
    fields = the_fields(HERE / "suda.yaml", "EVENT") | the_fields(HERE / "suda.yaml", "WAVEFORM")
    table = suda_values(real_data)
    names, raw, derived = (
        [*zip(map(int, table["packet"]), table[column], strict=True)] for column in ("name", "raw", "derived")
    )
    expected_raw: dict[str, dict[str, list[Any]]] = {"EVENT": {}, "WAVEFORM": {}}
    expected_text: dict[str, dict[str, list[Any]]] = {"EVENT": {}, "WAVEFORM": {}}
    for (packet, name), (_, raw_cell), (_, derived_cell) in zip(names, raw, derived, strict=True):
        kind = "EVENT" if packet == 0 else "WAVEFORM"
        value = parsed([raw_cell], fields[name])[0]
        expected_raw[kind].setdefault(name, []).append(value)
        expected_text[kind].setdefault(name, []).append(derived_cell if derived_cell != raw_cell else value)
    assert decoded.raw == expected_raw
    assert decoded.text == expected_text
    assert len(names) == 443


# CYGNSS: tables of its own, turned into YAML.


@pytest.fixture(scope="module")
def cygnss(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cygnss_yaml(real_data, tmp_path_factory.mktemp("cygnss"))


def cygnss_packets(cygnss: Path) -> dict[int, str]:
    (target,) = load(cygnss).targets
    return {int(packet.identification[0].value): packet.name for packet in target.packets}


def cygnss_expected(real_data: Path, cygnss: Path, apid: int) -> dict[str, list[Any]]:
    fields = the_fields(cygnss, cygnss_packets(cygnss)[apid])
    table = reference_columns(real_data, f"ccsdspy/cygnss_apid{apid:05}.csv.gz")
    return {name: _cygnss_values(cells, fields[name]) for name, cells in table.items()}


def _cygnss_values(cells: list[str], field: Field) -> list[Any]:
    """Values from text. Of one APID it is the bytes that a field touches, without zero bytes at the end."""
    if field.encoding is not Encoding.UNSIGNED or not cells[0].startswith("0x"):
        return parsed(cells, field)
    assert {cell for cell in cells if len(cell) > 2} <= {"0xf7", "0x5a5a", "0x4b22"}
    return [int.from_bytes(bytes.fromhex(cell[2:]).ljust(field.bit_length // 8, b"\0")) for cell in cells]


def without_fill(decoded: Decoded) -> dict[str, dict[str, list[Any]]]:
    """Raw values without those three that the reference takes for fill."""
    fill = {f"CDS_FSW_TORQ{number}_FILL" for number in (1, 2, 3)}
    return {
        packet: {name: values for name, values in columns.items() if name not in fill}
        for packet, columns in decoded.raw.items()
    }


def test_cygnss_has_the_reference_values_of_all_apids(real_data: Path, cygnss: Path, decode: Decode) -> None:
    names = cygnss_packets(cygnss)

    decoded = decode(CYGNSS.data(real_data), cygnss, CYGNSS.framing)

    assert_accounted_for(decoded, CYGNSS)
    assert decoded.packets == {names[apid]: recording.packets for apid, recording in CYGNSS_BY_APID.items()}
    assert without_fill(decoded) == {names[apid]: cygnss_expected(real_data, cygnss, apid) for apid in CYGNSS_BY_APID}
    assert decoded.anomalies == Counter()
    assert decoded.sequence_breaks == {392: 3, 384: 3, 386: 3}


@pytest.mark.parametrize("apid", CYGNSS_BY_APID)
def test_cygnss_has_the_reference_values_of_one_apid(real_data: Path, cygnss: Path, apid: int, decode: Decode) -> None:
    decoded = decode(CYGNSS_BY_APID[apid].data(real_data), cygnss, CYGNSS_BY_APID[apid].framing)

    assert_accounted_for(decoded, CYGNSS_BY_APID[apid])
    assert without_fill(decoded) == {cygnss_packets(cygnss)[apid]: cygnss_expected(real_data, cygnss, apid)}
    assert decoded.sequence_breaks.total() == (3 if apid in (384, 386, 392) else 0)


# Sequence counts.


@pytest.mark.parametrize("recording", [CYGNSS, *HS.values(), JPSS, SUDA, SWAPI], ids=str)
def test_sequence_breaks_are_those_that_were_published(
    real_data: Path, tmp_path: Path, recording: Recording, decode: Decode
) -> None:
    told = published(real_data, recording)

    decoded = decode(recording.data(real_data), header_yaml(tmp_path), recording.framing)

    assert_accounted_for(decoded, recording)
    assert {str(apid): breaks for apid, breaks in decoded.sequence_breaks.items()} == told["sequence_breaks"]
    assert {str(apid): repeats for apid, repeats in decoded.repeats.items() if repeats} == told["repeated_count"]
    assert Counter(map(str, decoded.raw["PACKET"]["CCSDS_APID"])) == told["apid"]
    assert list(decoded.raw["PACKET"]) == list(PRIMARY_HEADER)


def test_a_break_of_the_sequence_of_an_apid_is_found_where_packets_are_taken_out(
    real_data: Path, tmp_path: Path, decode: Decode
) -> None:
    data = HS[10].data(real_data)
    size = 7 + struct.unpack_from(">H", data, 4)[0]

    decoded = decode(data[: 5 * size] + data[8 * size :], header_yaml(tmp_path), HS[10].framing)

    assert decoded.sequence_breaks == {10: 1}
    assert decoded.packets.total() == HS[10].packets - 3
