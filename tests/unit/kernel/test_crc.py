"""CRCs against the published check values and an independent library."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import crc as independent
import numpy as np
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from c2kit.errors import UsageError
from c2kit.model.crc import CRC16_CCITT_FALSE, CRC32, CrcParameters
from tests.kernels import KERNELS, OTHERS, REFERENCE

if TYPE_CHECKING:
    from c2kit.kernel.contract import Kernel

# Name, width, polynomial, initial value, whether input and output are reflected, final XOR, check value: as the
# catalogue of parametrised CRC algorithms publishes them.
CATALOGUE = """
CRC-8/AUTOSAR           8  2f                ff                0 0 ff                df
CRC-8/BLUETOOTH         8  a7                0                 1 1 0                 26
CRC-8/DVB-S2            8  d5                0                 0 0 0                 bc
CRC-8/I-432-1           8  07                0                 0 0 55                a1
CRC-8/MAXIM-DOW         8  31                0                 1 1 0                 a1
CRC-8/SAE-J1850         8  1d                ff                0 0 ff                4b
CRC-8/SMBUS             8  07                0                 0 0 0                 f4
CRC-10/ATM              10 233               0                 0 0 0                 199
CRC-11/FLEXRAY          11 385               1a                0 0 0                 5a3
CRC-12/UMTS             12 80f               0                 0 1 0                 daf
CRC-14/DARC             14 805               0                 1 1 0                 82d
CRC-15/CAN              15 4599              0                 0 0 0                 59e
CRC-16/ARC              16 8005              0                 1 1 0                 bb3d
CRC-16/CDMA2000         16 c867              ffff              0 0 0                 4c06
CRC-16/DECT-R           16 0589              0                 0 0 1                 7e
CRC-16/DNP              16 3d65              0                 1 1 ffff              ea82
CRC-16/GENIBUS          16 1021              ffff              0 0 ffff              d64e
CRC-16/IBM-3740         16 1021              ffff              0 0 0                 29b1
CRC-16/IBM-SDLC         16 1021              ffff              1 1 ffff              906e
CRC-16/ISO-IEC-14443-3-A 16 1021             c6c6              1 1 0                 bf05
CRC-16/KERMIT           16 1021              0                 1 1 0                 2189
CRC-16/MODBUS           16 8005              ffff              1 1 0                 4b37
CRC-16/RIELLO           16 1021              b2aa              1 1 0                 63d0
CRC-16/SPI-FUJITSU      16 1021              1d0f              0 0 0                 e5cc
CRC-16/T10-DIF          16 8bb7              0                 0 0 0                 d0db
CRC-16/USB              16 8005              ffff              1 1 ffff              b4c8
CRC-16/XMODEM           16 1021              0                 0 0 0                 31c3
CRC-17/CAN-FD           17 1685b             0                 0 0 0                 4f03
CRC-24/BLE              24 00065b            555555            1 1 0                 c25a56
CRC-24/OPENPGP          24 864cfb            b704ce            0 0 0                 21cf02
CRC-31/PHILIPS          31 04c11db7          7fffffff          0 0 7fffffff          ce9e46c
CRC-32/AUTOSAR          32 f4acfb13          ffffffff          1 1 ffffffff          1697d06a
CRC-32/BZIP2            32 04c11db7          ffffffff          0 0 ffffffff          fc891918
CRC-32/CKSUM            32 04c11db7          0                 0 0 ffffffff          765e7680
CRC-32/ISCSI            32 1edc6f41          ffffffff          1 1 ffffffff          e3069283
CRC-32/ISO-HDLC         32 04c11db7          ffffffff          1 1 ffffffff          cbf43926
CRC-32/JAMCRC           32 04c11db7          ffffffff          1 1 0                 340bc6d9
CRC-32/MPEG-2           32 04c11db7          ffffffff          0 0 0                 0376e6e7
CRC-32/XFER             32 000000af          0                 0 0 0                 bd0be338
CRC-40/GSM              40 0004820009        0                 0 0 ffffffffff        d4164fc646
CRC-64/ECMA-182         64 42f0e1eba9ea3693  0                 0 0 0                 6c40df5f0b497347
CRC-64/GO-ISO           64 000000000000001b  ffffffffffffffff  1 1 ffffffffffffffff  b90956c775a41001
CRC-64/WE               64 42f0e1eba9ea3693  ffffffffffffffff  0 0 ffffffffffffffff  62ec59e3f1a4f00a
CRC-64/XZ               64 42f0e1eba9ea3693  ffffffffffffffff  1 1 ffffffffffffffff  995dc9bbdf1939fa
"""


def _parameters(row: str) -> CrcParameters:
    name, width, polynomial, initial, reflect_in, reflect_out, xor_out, check = row.split()
    return CrcParameters(
        name=name,
        width=int(width),
        polynomial=int(polynomial, 16),
        initial=int(initial, 16),
        reflect_in=reflect_in == "1",
        reflect_out=reflect_out == "1",
        xor_out=int(xor_out, 16),
        check=int(check, 16),
    )


ALL = [_parameters(row) for row in CATALOGUE.strip().splitlines()]
parameter_sets = pytest.mark.parametrize("parameters", ALL, ids=lambda parameters: parameters.name)


def crcs(kernel: Kernel, packets: list[bytes], parameters: CrcParameters, *, gap: bytes = b"\xa5\x5a") -> list[int]:
    """The CRC of each packet, which lies in a buffer with other bytes before, between and behind."""
    starts, buffer = [], bytearray(gap)
    for packet in packets:
        starts.append(len(buffer))
        buffer += packet + gap
    lows = np.array(starts, np.int64)
    highs = lows + np.array([len(packet) for packet in packets], np.int64)
    values = kernel.crc(bytes(buffer), lows, highs, parameters)
    assert values.dtype == np.uint64
    return values.tolist()  # type: ignore[no-any-return]


@KERNELS
@parameter_sets
def test_the_crc_of_the_nine_digits_is_the_published_check_value(kernel: Kernel, parameters: CrcParameters) -> None:
    assert crcs(kernel, [b"123456789"], parameters) == [parameters.check]


@KERNELS
def test_the_parameters_that_come_with_the_model_are_those_of_the_catalogue(kernel: Kernel) -> None:
    assert CRC16_CCITT_FALSE in ALL
    assert CRC32 in ALL
    assert crcs(kernel, [b"123456789"], CRC32) == [zlib.crc32(b"123456789")]


@KERNELS
def test_there_may_be_no_packets_and_packets_without_bytes(kernel: Kernel) -> None:
    assert crcs(kernel, [], CRC32) == []
    assert crcs(kernel, [b"", b""], CRC32) == [0, 0]
    assert crcs(kernel, [b""], CRC16_CCITT_FALSE) == [0xFFFF]


@KERNELS
@parameter_sets
def test_packets_may_overlap_and_lie_in_any_order(kernel: Kernel, parameters: CrcParameters) -> None:
    starts, ends = np.array([4, 0, 2]), np.array([13, 13, 11])
    values = kernel.crc(b"abcd123456789", starts, ends, parameters).tolist()
    assert values[0] == parameters.check
    assert values[1:] == crcs(kernel, [b"abcd123456789", b"cd1234567"], parameters)


@parameter_sets
@given(data=st.data())
def test_many_packets_of_many_sizes_have_the_crcs_of_the_reference(
    parameters: CrcParameters, data: st.DataObject
) -> None:
    # Enough packets that some are done many at once and the longest one by one; and some of more than eight bytes.
    sizes = data.draw(st.lists(st.sampled_from([0, 1, 2, 3, 5, 8, 9, 17, 24]), max_size=90))
    seed = data.draw(st.integers(0, 2**32))
    packets = [np.random.default_rng([seed, number]).bytes(size) for number, size in enumerate(sizes)]
    expected = crcs(REFERENCE, packets, parameters)
    for kernel in OTHERS.values():
        assert crcs(kernel, packets, parameters) == expected


@KERNELS
@pytest.mark.parametrize("parameters", [one for one in ALL if one.width % 8 == 0], ids=lambda one: one.name)
def test_any_bytes_have_the_crc_that_an_independent_library_gives(kernel: Kernel, parameters: CrcParameters) -> None:
    other = independent.Calculator(
        independent.Configuration(
            width=parameters.width,
            polynomial=parameters.polynomial,
            init_value=parameters.initial,
            final_xor_value=parameters.xor_out,
            reverse_input=parameters.reflect_in,
            reverse_output=parameters.reflect_out,
        )
    )
    generator = np.random.default_rng(1)
    packets = [generator.bytes(size) for size in [0, 1, 2, 7, 8, 9, 64, 300] + 70 * [20]]
    assert crcs(kernel, packets, parameters) == [other.checksum(packet) for packet in packets]


@KERNELS
def test_a_crc_of_one_bit_is_the_parity(kernel: Kernel) -> None:
    parity = CrcParameters(name="parity", width=1, polynomial=1, check=1)
    packets = [bytes([byte, 0x80]) for byte in range(256)]
    assert crcs(kernel, packets, parity) == [(byte.bit_count() + 1) % 2 for byte in range(256)]


@KERNELS
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
@pytest.mark.parametrize("parameters", [CRC16_CCITT_FALSE, ALL[0]], ids=lambda parameters: parameters.name)
def test_the_buffer_may_be_any_bytes_like_object(kernel: Kernel, kind: type, parameters: CrcParameters) -> None:
    values = kernel.crc(kind(b"x123456789y"), np.array([1]), np.array([10]), parameters)
    assert values.tolist() == [parameters.check]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"width": 0}, "width of CRC-32/ISO-HDLC, expected 1 to 64 bits, found 0"),
        ({"width": 65}, "found 65"),
        ({"polynomial": 1 << 32}, "polynomial of CRC-32/ISO-HDLC, expected 32 bits, found 0x100000000"),
        ({"initial": -1}, "initial of CRC-32/ISO-HDLC"),
        ({"xor_out": 1 << 40}, "xor_out of CRC-32/ISO-HDLC"),
    ],
)
@pytest.mark.parametrize("name", OTHERS)
def test_parameters_of_no_crc_are_refused(name: str, changes: dict[str, int], expected: str) -> None:
    with pytest.raises(UsageError, match=expected):
        OTHERS[name].crc(b"", np.array([0]), np.array([0]), evolve(CRC32, **changes))  # type: ignore[arg-type]


@KERNELS
@given(data=st.binary(max_size=70), parameters=st.sampled_from([CRC16_CCITT_FALSE, CRC32]))
def test_all_bytes_have_the_crc_of_a_packet_that_is_all_of_them(
    kernel: Kernel, data: bytes, parameters: CrcParameters
) -> None:
    expected = REFERENCE.crc(data, np.zeros(1, np.int64), np.array([len(data)]), parameters).tolist()
    for buffer in (data, bytearray(data), memoryview(data)):
        assert [kernel.crc_of(buffer, parameters)] == expected


@pytest.mark.parametrize("name", OTHERS)
def test_bytes_have_no_crc_of_impossible_parameters(name: str) -> None:
    with pytest.raises(UsageError):
        OTHERS[name].crc_of(b"123456789", evolve(CRC32, width=65))
