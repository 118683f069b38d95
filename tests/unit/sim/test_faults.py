"""Faults of a link: those asked for, on record, and none else."""

import random

import pytest

from c2kit.errors import UsageError
from c2kit.sim import Fault, FaultKind, FaultRates, FaultyLink

PACKETS = [random.Random(number).randbytes(10 + number % 50) for number in range(2000)]


def test_without_faults_everything_arrives_as_it_was() -> None:
    link = FaultyLink(FaultRates())
    assert link.send(PACKETS) + link.end() == PACKETS
    assert link.faults == []
    assert FaultRates().is_none


@pytest.mark.parametrize("step", [1, 7, 2000])
def test_equal_seeds_give_equal_faults_however_packets_are_handed_over(step: int) -> None:
    rates = FaultRates(bit_errors=1e-4, lost_bytes=0.01, duplicates=0.01, reordered=0.01)

    def arrived(step: int, seed: int) -> list[bytes]:
        link = FaultyLink(rates, seed=seed)
        pieces = [link.send(PACKETS[first : first + step]) for first in range(0, len(PACKETS), step)]
        return [packet for piece in pieces for packet in piece] + link.end()

    assert arrived(step, 1) == arrived(50, 1) != arrived(50, 2)


@pytest.mark.parametrize("rate", [1e-4, 1e-2, 1.0])
def test_bit_errors_are_where_the_record_says_and_as_many_as_asked(rate: float) -> None:
    link = FaultyLink(FaultRates(bit_errors=rate))
    arrived = link.send(PACKETS)
    assert {fault.kind for fault in link.faults} == {FaultKind.BIT_ERROR}
    differing = {
        (number, bit)
        for number, (before, after) in enumerate(zip(PACKETS, arrived, strict=True))
        for bit in range(8 * len(before))
        if (before[bit // 8] ^ after[bit // 8]) >> (7 - bit % 8) & 1
    }
    assert differing == {(fault.packet, fault.where) for fault in link.faults}
    expected = rate * 8 * sum(map(len, PACKETS))
    assert abs(len(differing) - expected) <= 5 * expected**0.5 * (1 - rate) ** 0.5


def test_lost_bytes_are_those_of_the_record() -> None:
    link = FaultyLink(FaultRates(lost_bytes=0.1))
    expected = list(PACKETS)
    arrived = link.send(PACKETS)
    for fault in link.faults:
        assert fault.kind is FaultKind.LOST_BYTES
        assert 1 <= fault.size_bytes <= 16
        packet = PACKETS[fault.packet]
        expected[fault.packet] = packet[: fault.where] + packet[fault.where + fault.size_bytes :]
    assert arrived == expected
    assert 100 < len(link.faults) < 300


def test_duplicates_follow_at_once() -> None:
    link = FaultyLink(FaultRates(duplicates=0.1))
    arrived = link.send(PACKETS)
    twice = {fault.packet for fault in link.faults}
    assert arrived == [packet for number, packet in enumerate(PACKETS) for _ in range(1 + (number in twice))]
    assert 100 < len(twice) < 300


def test_a_packet_out_of_order_comes_after_the_next_one() -> None:
    link = FaultyLink(FaultRates(reordered=1.0))
    assert link.send([b"a"]) == []
    assert link.send([b"b", b"c"]) == [b"b", b"a"]
    assert link.end() == [b"c"]
    assert link.end() == []
    assert link.faults == [Fault(FaultKind.REORDERED, 0), Fault(FaultKind.REORDERED, 2)]


@pytest.mark.parametrize("rate", [-0.1, 1.1])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(UsageError, match="lost_bytes"):
        FaultRates(lost_bytes=rate)
