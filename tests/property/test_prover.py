"""The prover's claim about a pair of packets, held against trying all byte strings."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from c2kit.dictionaries.prover import prove
from c2kit.model.packets import Item, Match, Packet
from c2kit.model.target import Target


@st.composite
def packets(draw: st.DrawFn, name: str) -> Packet:
    """A packet known by up to two items in its first twelve bits, of either bit numbering."""
    items, matches = [], []
    for number in range(draw(st.integers(0, 2))):
        start = draw(st.integers(0, 11))
        bits = draw(st.integers(1, 12 - start))
        items.append(
            Item(
                name=f"I{number}",
                bit_offset=start,
                bit_length=bits,
                byte_order=draw(st.sampled_from(["big", "little"])),
            )
        )
        matches.append(Match(f"I{number}", draw(st.integers(0, (1 << bits) - 1))))
    return Packet(name=name, items=tuple(items), identification=tuple(matches), overlaps=True)


def is_packet(packet: Packet, data: bytes) -> bool:
    """Whether data is that packet, by plain big-integer arithmetic."""
    big = int.from_bytes(data, "big")
    little = int.from_bytes(data, "little")
    for item, match in zip(packet.items, packet.identification, strict=True):
        assert item.bit_offset is not None
        end = item.bit_offset + item.bit_length
        if end > 8 * len(data):
            return False
        shifted = little >> item.bit_offset if item.byte_order == "little" else big >> (8 * len(data) - end)
        if shifted & ((1 << item.bit_length) - 1) != match.value:
            return False
    return True


@given(packets("A"), packets("B"))
def test_two_packets_are_called_ambiguous_exactly_where_some_bytes_are_both(one: Packet, other: Packet) -> None:
    everything = [value.to_bytes(2, "big") for value in range(1 << 16)]
    both = any(is_packet(one, data) and is_packet(other, data) for data in everything)
    impossible = [packet.name for packet in (one, other) if not any(is_packet(packet, data) for data in everything)]
    found = prove([Target(name="T", packets=(one, other))])
    ambiguous = [finding for finding in found if finding.rule == "ambiguous-identification"]
    assert bool(ambiguous) == both
    assert [finding.where for finding in found if finding.rule == "never-identified"] == [f"T {n}" for n in impossible]
    for finding in ambiguous:
        assert finding.witness is not None
        assert is_packet(one, finding.witness)
        assert is_packet(other, finding.witness)
