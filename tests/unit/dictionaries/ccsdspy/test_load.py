"""Definitions in ccsdspy's CSV format, as whole files: what items come of them, and what is said about them."""

import struct
from pathlib import Path

import numpy as np
import pytest

from c2kit.dictionaries.ccsdspy import CsvDefinition, load_csv
from c2kit.errors import DefinitionError, UsageError
from c2kit.kernel import reference
from c2kit.kernel.layout import Layout
from c2kit.model.conversions import Polynomial, State, States
from c2kit.model.fields import Encoding, Expand, FieldReference, Fixed


def load(folder: Path, text: str, offsets_from: str | None = None) -> CsvDefinition:
    file = folder / "defs.csv"
    file.write_bytes(text.encode())
    return load_csv(file, offsets_from=offsets_from)  # type: ignore[arg-type]


def packed(digits: str) -> bytes:
    """Bytes from hexadecimal digits, grouped as the fields are."""
    return bytes.fromhex(digits.replace(" ", ""))


def decode(definition: CsvDefinition, *data: bytes) -> dict[str, list[object]]:
    """Decode packets with a primary header before and foreign bytes after each of them."""
    packets = [struct.pack(">HHH", 0x0800 | 42, 0xC000, len(one) - 1) + one for one in data]
    buffer = b"\xa5\x5a\xff".join([*packets, b"\xff"])
    starts = np.array([sum(len(one) + 3 for one in packets[:index]) for index in range(len(packets))], np.int64)
    ends = starts + np.array([len(one) for one in packets], np.int64)
    layout = Layout(definition.items)
    columns = reference.decode(layout, buffer, starts, ends)
    return {field.name: column.to_list() for field, column in zip(layout.fields, columns, strict=True)}


def test_three_columns_define_fields_that_follow_each_other_after_the_primary_header(tmp_path: Path) -> None:
    definition = load(
        tmp_path,
        "name, data_type, bit_length\nSHCOARSE, uint, 32\nSHFINE, uint, 20\n"
        "OPMODE, uint, 3\nSPACER, fill, 1\nVOLTAGE, int, 8",
    )

    assert [item.name for item in definition.items] == ["SHCOARSE", "SHFINE", "OPMODE", "VOLTAGE"]
    assert [item.bit_offset for item in definition.items] == [48, 80, 100, 104]
    assert decode(definition, packed("01020304 abcde b fe")) == {
        "SHCOARSE": [0x01020304],
        "SHFINE": [0xABCDE],
        "OPMODE": [0b101],
        "VOLTAGE": [-2],
    }
    (note,) = definition.notes
    assert "no bit offsets" in note
    assert definition.warnings == ()


def test_a_fixed_array_is_spelled_in_the_data_type(tmp_path: Path) -> None:
    definition = load(tmp_path, 'name, data_type, bit_length\nVOLTAGE, "int(2, 3)", 8\nLAST, uint(2), 4')

    assert [item.length for item in definition.items] == [Fixed((2, 3)), Fixed((2,))]
    assert decode(definition, packed("0102ff04fe06 9a")) == {
        "VOLTAGE": [[[1, 2, -1], [4, -2, 6]]],
        "LAST": [[9, 10]],
    }


def test_an_array_expands_to_what_is_left_before_a_footer(tmp_path: Path) -> None:
    definition = load(tmp_path, "name,data_type,bit_length\nID,uint,8\nDATA,uint(expand),16\nSUM,uint,16\n")

    assert definition.items[1].length == Expand()
    assert definition.items[2].bit_offset is None
    # The second packet's data are not whole elements; the third one's footer does not fit.
    packets = (packed("01 0002 0003 beef"), packed("02 0004 99 beef"), packed("03 be"))
    assert decode(definition, *packets) == {
        "ID": [1, 2, 3],
        "DATA": [[2, 3], [4], None],
        "SUM": [0xBEEF, 0xBEEF, None],
    }


def test_arrays_are_as_long_as_earlier_fields_say(tmp_path: Path) -> None:
    definition = load(
        tmp_path,
        "name,data_type,bit_length\nN1,uint,8\nA,uint(N1),16\nN2,uint,8\nB,uint(N2),12\nEND,uint,8\n",
    )

    assert [item.length for item in definition.items][1::2] == [FieldReference("N1"), FieldReference("N2")]
    assert decode(definition, packed("01 0007 02 abc def 55"), packed("00 00 66")) == {
        "N1": [1, 0],
        "A": [[7], []],
        "N2": [2, 0],
        "B": [[0xABC, 0xDEF], []],
        "END": [0x55, 0x66],
    }


def test_shapes_may_have_a_column_of_their_own(tmp_path: Path) -> None:
    definition = load(
        tmp_path,
        'name,dataType,bitLength,arrayShape\nN,uint,8,\nA,uint,16,N\nB,int,8,"(2, 2)"\nC,uint,8,expand\nD,uint,8,2\n',
    )

    shapes = [item.length for item in definition.items]
    assert shapes == [None, FieldReference("N"), Fixed((2, 2)), Expand(), Fixed((2,))]


@pytest.mark.parametrize(
    ("order", "expected"),
    [("big", 0x11223344), ("little", 0x44332211), ("4321", 0x44332211), ("1234", 0x11223344), ("2143", 0x22114433)],
)
def test_bytes_stand_in_the_order_told(tmp_path: Path, order: str, expected: int) -> None:
    definition = load(tmp_path, f"name,data_type,bit_length,byteOrder\nX,uint,32,{order}\nY,uint(1),32,{order}\n")

    assert decode(definition, packed("11223344 11223344")) == {"X": [expected], "Y": [[expected]]}


def test_bits_that_begin_within_a_byte_are_taken_first_and_their_bytes_swapped_then(tmp_path: Path) -> None:
    definition = load(
        tmp_path, "name,data_type,bit_length,byte_order\nA,uint,4,little\nB,uint,16,little\nC,uint,16,21\nD,uint,4,\n"
    )

    assert decode(definition, packed("a bcde 1234 f")) == {"A": [0xA], "B": [0xDEBC], "C": [0x3412], "D": [0xF]}


def test_the_bytes_of_floats_are_swapped_too(tmp_path: Path) -> None:
    definition = load(tmp_path, "name,data_type,bit_length,byte_order\nA,float,32,little\nB,float,64,87654321\n")

    assert decode(definition, struct.pack("<fd", 1.5, -2.25)) == {"A": [1.5], "B": [-2.25]}


def test_an_unusual_order_means_what_it_means_to_ccsdspy_and_a_note_says_so(tmp_path: Path) -> None:
    definition = load(tmp_path, "name,data_type,bit_length,byte_order\nA,uint,24,132\n")

    # ccsdspy 2.0.1 gives 0x221133 for the bytes 11 22 33.
    assert decode(definition, packed("112233")) == {"A": [0x221133]}
    assert any("132 of A" in note for note in definition.notes)


def test_text_has_the_size_of_its_bits(tmp_path: Path) -> None:
    definition = load(tmp_path, "name,data_type,bit_length\nNAME,str,40\nKEY,str(3),8\nREST,str(expand),8\n")

    assert {item.encoding for item in definition.items} == {Encoding.STRING}
    assert decode(definition, b"heloXabcdefgh") == {"NAME": [b"heloX"], "KEY": [b"abc"], "REST": [b"defgh"]}


def test_an_array_of_words_is_an_item_for_each_of_them(tmp_path: Path) -> None:
    definition = load(tmp_path, 'name,data_type,bit_length\nN,uint,4\nW,"str(2, 1)",16\nLAST,uint,4\n')

    assert decode(definition, packed("1 6162 6364 2")) == {
        "N": [1],
        "W[0,0]": [b"ab"],
        "W[1,0]": [b"cd"],
        "LAST": [2],
    }


def test_fill_takes_bits_and_gives_no_item(tmp_path: Path) -> None:
    definition = load(tmp_path, "name,data_type,bit_length\nA,uint,4\n,fill,0\nF,fill(3),4\nB,uint,8\nF,fill,800\n")

    assert decode(definition, packed("1 fff 23")) == {"A": [1], "B": [0x23]}


def test_fill_within_a_footer_is_kept_because_places_depend_on_it(tmp_path: Path) -> None:
    definition = load(
        tmp_path, "name,data_type,bit_length\nD,uint(expand),8\nA,uint,4\nA_,fill,4\n,fill,72\nB,uint,8\nA_,fill,8\n"
    )

    decoded = decode(definition, packed("0102 3f ffffffffffffffffff 44 ff"))
    assert decoded["D"] == [[1, 2]]
    assert decoded["A"] == [3]
    assert decoded["B"] == [0x44]
    assert [name for name in decoded if name not in "DAB"] == ["A_", "fill", "A__2"]
    assert sum("kept as item" in note for note in definition.notes) == 3


def test_fill_at_the_end_of_a_packet_without_an_expanding_array_gives_no_item(tmp_path: Path) -> None:
    definition = load(tmp_path, "name,data_type,bit_length\nN,uint,8\nD,uint(N),8\nPAD,fill,24\n")

    assert decode(definition, packed("01 02")) == {"N": [1], "D": [[2]]}


def test_calibrations_are_conversions(tmp_path: Path) -> None:
    definition = load(
        tmp_path,
        'name,data_type,bit_length,calibration\nA,uint,8,"{""0"":""OFF"",""[1,3]"":""ON""}"\n'
        'B,int,32,"{""0"":2000,""1"":-0.5,""3"":0.25}"\nC,uint,8,\n',
    )

    assert [item.conversion for item in definition.items] == [
        States((State("OFF", 0, 0), State("ON", 1, 3))),
        Polynomial((2000.0, -0.5, 0.0, 0.25)),
        None,
    ]


def test_descriptions_and_units_are_kept_and_other_columns_are_told(tmp_path: Path) -> None:
    definition = load(tmp_path, "Name,Data Type,Bit Length,Units,Description,Owner,,Remark\nV,uint,8,V,the bus,me,,\n")

    (item,) = definition.items
    assert (item.units, item.description) == ("V", "the bus")
    assert any("Owner, Remark" in note for note in definition.notes)


def test_items_know_where_they_were_defined(tmp_path: Path) -> None:
    definition = load(tmp_path, "bit_length,data_type,name\r\n8,uint,  A\r\n\r\n8,uint,B\r\n")

    assert [str(item.source) for item in definition.items] == [
        f"{tmp_path / 'defs.csv'}:2:10",
        f"{tmp_path / 'defs.csv'}:4:8",
    ]
    assert str(definition.source) == f"{tmp_path / 'defs.csv'}:1:1"


def test_fields_that_share_bits_are_loaded_with_a_warning(tmp_path: Path) -> None:
    definition = load(
        tmp_path,
        "name,data_type,bit_offset,bit_length\nWORD,uint,48,8\nFLAG,uint,48,1\nLOW,uint,52,8\nFAR,uint,60,8\nGAP,fill,48,99\n",
    )

    assert decode(definition, packed("8f 7123")) == {"WORD": [0x8F], "FLAG": [1], "LOW": [0xF7], "FAR": [0x12]}
    assert [warning.partition(": ")[2] for warning in definition.warnings] == [
        "FLAG shares bit 48 of the packet with WORD",
        "LOW shares bits 52 to 55 of the packet with WORD",
    ]
    assert definition.warnings[0].startswith(f"{tmp_path / 'defs.csv'}:3:1")


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("", "1:1", "empty"),
        ("\n , ,\n", "1:1", "empty"),
        ("name,data_type,bit_length\n", "1:1", "defines no field"),
        ("name,data_type,bit_length\nF,fill,8\n", "1:1", "defines no field"),
        ("name,data_type,bit_length\nA,uint,8\nA,uint,8\n", "3:1", "A stands twice"),
        ("name,data_type,bit_length\nA,uint(N),8\nN,uint,8\n", "2:1", "not defined before"),
        ("name,data_type,bit_length\nN,float,32\nA,uint(N),8\n", "3:1", "not an integer"),
        ("name,data_type,bit_length\nA,uint(expand),8\nB,uint(expand),8\n", "3:1", "expand"),
        ('name,data_type,bit_length,calibration\nA,float,32,"{""0"": ""OFF""}"\n', "2:1", "only integers have states"),
        ('name,data_type,bit_length,calibration\nA,str,32,"{""0"": 1, ""1"": 2}"\n', "2:1", "converts numbers"),
        ("name,data_type,bit_offset,bit_length\nA,uint,524330,8\n", "2:8", "space packet"),
    ],
)
def test_what_cannot_be_right_is_refused_with_its_place(tmp_path: Path, text: str, place: str, says: str) -> None:
    with pytest.raises(DefinitionError, match=says) as refused:
        load(tmp_path, text, "packet")

    assert str(refused.value).startswith(f"{tmp_path / 'defs.csv'}:{place}: ")


def test_everything_that_is_wrong_is_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = "name,data_type,bit_length,bit_offset\nA,uint,65,\nB,uint,8,524330\nC,uint,8,1,2\nD,word,8,\nE,uint,8,\n"

    with pytest.raises(DefinitionError) as refused:
        load(tmp_path, text)

    lines = str(refused.value).splitlines()
    assert [int(line.split("defs.csv:")[1].split(":")[0]) for line in lines] == [2, 3, 4, 5]


def test_a_file_that_is_not_there_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match=r"none\.csv: it cannot be read"):
        load_csv(tmp_path / "none.csv")


def test_offsets_count_from_the_packet_or_from_its_data_and_nothing_else(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected packet, data or None"):
        load(tmp_path, "name,data_type,bit_length\nA,uint,8\n", "header")
