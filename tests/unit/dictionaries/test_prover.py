"""The prover finds what is wrong, shows bytes that prove it, and is silent about what is right."""

from __future__ import annotations

from typing import Any

import pytest

from c2kit.dictionaries.prover import Finding, Severity, prove
from c2kit.model.commands import Argument, Command, LengthOf
from c2kit.model.conversions import Extrapolation, PiecewiseLinear, Polynomial, State, States
from c2kit.model.fields import Condition, Encoding, Expand, FieldReference
from c2kit.model.limits import Limits
from c2kit.model.packets import Item, Match, Packet, PacketLength
from c2kit.model.source import Source
from c2kit.model.target import Target


def item(name: str, bits: int = 8, **rest: Any) -> Item:  # noqa: ANN401 - any attribute
    return Item(name=name, bit_length=bits, source=Source("defs.yaml", 7, 3), **rest)


def packet(name: str, *items: Item, identify: dict[str, int | bytes] | None = None, **rest: Any) -> Packet:  # noqa: ANN401 - any attribute
    matches = tuple(Match(key, value) for key, value in (identify or {}).items())
    return Packet(name=name, items=items, identification=matches, source=Source("defs.yaml", 5, 1), **rest)


def findings(*packets: Packet, commands: tuple[Command, ...] = ()) -> list[Finding]:
    return prove([Target(name="SAT", packets=packets, commands=commands)])


def rules(*packets: Packet, commands: tuple[Command, ...] = ()) -> list[str]:
    return [finding.rule for finding in findings(*packets, commands=commands)]


def command(*arguments: Argument) -> Command:
    return Command(name="DO", arguments=arguments, source=Source("defs.yaml", 9, 1))


class TestIdentification:
    def test_packets_with_different_apids_are_told_apart(self) -> None:
        a = packet("A", item("APID", 16), identify={"APID": 1})
        b = packet("B", item("APID", 16), identify={"APID": 2})
        assert rules(a, b) == []

    def test_the_witness_is_bytes_that_are_both_packets(self) -> None:
        a = packet("A", item("APID", 16), identify={"APID": 0x0123})
        b = packet("B", item("SKIP", 24), item("KIND", 8), identify={"KIND": 0x45}, overlaps=True)
        (finding,) = findings(a, b)
        assert finding.rule == "ambiguous-identification"
        assert finding.severity is Severity.ERROR
        assert finding.witness == b"\x01\x23\x00\x45"
        assert finding.source == Source("defs.yaml", 5, 1)
        assert "SAT B" in finding.what

    def test_a_fallback_may_match_what_another_matches(self) -> None:
        a = packet("A", item("APID", 16), identify={"APID": 1})
        rest = packet("REST", item("APID", 16), fallback=True)
        assert rules(a, rest) == []

    def test_two_fallbacks_may_not_match_the_same_bytes(self) -> None:
        one = packet("ONE", item("APID", 16), fallback=True)
        two = packet("TWO", item("APID", 16), fallback=True)
        assert rules(one, two) == ["ambiguous-identification"]

    def test_a_packet_that_matches_anything_collides_with_every_other(self) -> None:
        a = packet("A", item("APID", 16), identify={"APID": 1})
        anything = packet("ANYTHING", item("APID", 16))
        assert rules(a, anything) == ["ambiguous-identification"]

    def test_a_fallback_behind_a_wider_packet_is_never_identified(self) -> None:
        wide = packet("WIDE", item("APID", 16), identify={"APID": 1})
        narrow = packet("NARROW", item("APID", 16), item("KIND"), identify={"APID": 1, "KIND": 2}, fallback=True)
        assert rules(wide, narrow) == ["never-identified"]

    def test_a_value_that_its_item_cannot_hold_is_never_identified(self) -> None:
        (finding,) = findings(packet("A", item("APID", 11), item("REST", 5), identify={"APID": 2048}))
        assert finding.rule == "never-identified"
        assert "APID cannot be 2048" in finding.what

    def test_two_values_for_the_same_bits_are_never_identified(self) -> None:
        a = item("A", 8, bit_offset=0)
        b = item("B", 4, bit_offset=4)
        assert rules(packet("P", a, b, identify={"A": 0x12, "B": 3}, overlaps=True)) == ["never-identified"]
        assert rules(packet("P", a, b, identify={"A": 0x12, "B": 2}, overlaps=True)) == []

    def test_targets_are_compared_only_where_they_share_an_interface(self) -> None:
        a = Target(name="A", packets=(packet("P", item("APID", 16), identify={"APID": 1}),))
        b = Target(name="B", packets=(packet("Q", item("APID", 16), identify={"APID": 1}),))
        assert [finding.rule for finding in prove([a, b])] == ["ambiguous-identification"]
        assert prove([a, b], interfaces=[["A"], ["B"]]) == []
        assert prove([a, b], interfaces=[]) == []

    def test_commands_that_could_be_the_same_bytes_are_told(self) -> None:
        arguments = (Argument(name="FUNCTION", fixed=3),)
        first, second = Command(name="A", arguments=arguments), Command(name="B", arguments=arguments)
        assert rules(commands=(first, second)) == ["commands-alike"]
        different = Command(name="B", arguments=(Argument(name="FUNCTION", fixed=4),))
        assert rules(commands=(first, different)) == []


class TestPlaces:
    def test_shared_bits_are_an_overlap_unless_declared(self) -> None:
        fields = item("A", 8), item("B", 8, bit_offset=4)
        (finding,) = findings(packet("P", *fields))
        assert (finding.rule, finding.what) == ("overlap", "bits 4 to 7 belong to A too")
        assert rules(packet("P", *fields, overlaps=True)) == []

    def test_an_overlap_behind_a_short_field_is_found(self) -> None:
        fields = item("WIDE", 32), item("SHORT", 4, bit_offset=4), item("LATE", 8, bit_offset=16)
        assert {finding.where for finding in findings(packet("P", *fields))} == {"SAT P SHORT", "SAT P LATE"}

    def test_little_endian_bit_fields_are_compared_bit_by_bit(self) -> None:
        low = item("LOW", 3, byte_order="little", bit_offset=0)
        high = item("HIGH", 5, byte_order="little", bit_offset=3)
        assert rules(packet("P", low, high)) == []
        first_bits = item("FIRST", 3, bit_offset=0)
        assert rules(packet("P", first_bits, low, overlaps=False)) == ["gap"]
        assert "overlap" in rules(packet("P", first_bits, high))

    def test_bits_that_belong_to_nothing_are_a_note(self) -> None:
        (finding,) = findings(packet("P", item("A", 4), item("B", 8, bit_offset=8)))
        assert (finding.rule, finding.severity) == ("gap", Severity.NOTE)
        assert finding.what == "bits 4 to 7 before it belong to nothing"

    def test_gaps_of_imported_definitions_are_not_told(self) -> None:
        assert rules(packet("P", item("A", 4, bit_offset=48), overlaps=True)) == []

    def test_the_cases_of_a_union_do_not_overlap(self) -> None:
        kind = item("KIND")
        one = item("ONE", bit_offset=8, present_if=(Condition("KIND", "==", 1),))
        two = item("TWO", bit_offset=8, present_if=(Condition("KIND", "==", 2),))
        also_one = item("ALSO", bit_offset=8, present_if=(Condition("KIND", "==", 1),))
        assert rules(packet("P", kind, one, two)) == []
        assert rules(packet("P", kind, one, also_one)) == ["overlap"]

    def test_an_item_past_the_declared_size_is_an_error(self) -> None:
        assert rules(packet("P", item("A"), item("B", 16), size_bytes=2)) == ["past-end"]
        assert rules(packet("P", item("A"), item("B", 16), size_bytes=3)) == []

    def test_an_item_past_the_length_that_identifies_the_packet_is_an_error(self) -> None:
        fields = item("LENGTH", 16), item("A", 16)
        length = PacketLength("LENGTH", add=2)
        assert rules(packet("P", *fields, identify={"LENGTH": 1}, length=length)) == ["past-end"]
        assert rules(packet("P", *fields, identify={"LENGTH": 2}, length=length)) == []

    def test_a_length_item_must_be_able_to_tell_the_length(self) -> None:
        fields = item("LENGTH", 2), item("REST", 30)
        assert rules(packet("P", *fields, length=PacketLength("LENGTH"))) == ["length-too-small"]
        assert rules(packet("P", *fields, length=PacketLength("LENGTH", add=1))) == []

    def test_a_computed_length_must_be_able_to_tell_the_length(self) -> None:
        length = Argument(name="LENGTH", bit_length=2, computed=LengthOf(first_byte=0))
        assert rules(commands=(command(length, Argument(name="A", bit_length=22, default=0)),)) == []
        assert rules(commands=(command(length, Argument(name="A", bit_length=30, default=0)),)) == ["length-too-small"]

    def test_a_length_that_is_always_negative_is_never_present(self) -> None:
        counted = item("DATA", length=FieldReference("N", add=-256))
        assert rules(packet("P", item("N"), counted)) == ["never-present"]

    @pytest.mark.parametrize(
        ("operator", "value", "possible"),
        [
            ("==", 15, True), ("==", 16, False), ("==", 0.5, False), ("!=", 16, True), ("<", 0, False), ("<", 1, True),
            ("<=", -1, False), ("<=", 0, True), (">", 15, False), (">", 14, True), (">=", 16, False), (">=", 15, True),
        ],
    )  # fmt: skip
    def test_a_condition_that_no_value_meets_is_told(self, operator: str, value: float, *, possible: bool) -> None:
        guarded = item("B", 4, present_if=(Condition("A", operator, value),))
        assert rules(packet("P", item("A", 4), guarded)) == ([] if possible else ["never-present"])

    def test_an_expanding_item_before_a_trailer_is_right(self) -> None:
        assert rules(packet("P", item("A"), item("DATA", length=Expand()), item("CRC", 16))) == []


class TestValues:
    def test_a_state_outside_the_type_is_an_error(self) -> None:
        states = States((State("OFF", 0, 0), State("ON", 1, 4)))
        (finding,) = findings(packet("P", item("A", 2, conversion=states)))
        assert (finding.rule, finding.where) == ("outside-type", "SAT P A")
        assert rules(packet("P", item("A", 3, conversion=states))) == []

    def test_negative_states_fit_signed_types(self) -> None:
        states = States((State("BACK", -1, -1),))
        assert rules(packet("P", item("A", 2, conversion=states, encoding=Encoding.TWOS_COMPLEMENT))) == []
        assert rules(packet("P", item("A", 2, conversion=states))) == ["outside-type"]

    def test_a_value_with_two_names_is_a_warning(self) -> None:
        states = States((State("LOW", 0, 5), State("FIVE", 5, 5)))
        assert rules(packet("P", item("A", conversion=states))) == ["states-overlap"]

    def test_limits_must_be_in_order(self) -> None:
        limits = Limits(red_low=5, yellow_low=4, red_high=100)
        (finding,) = findings(packet("P", item("A", limits=(limits,))))
        assert finding.rule == "limits-out-of-order"
        assert "red_low (5) is above yellow_low (4)" in finding.what

    def test_one_sided_limits_are_right(self) -> None:
        assert rules(packet("P", item("A", limits=(Limits(yellow_high=100),)))) == []

    def test_a_limit_that_no_value_can_pass_is_a_warning(self) -> None:
        tenths = Polynomial((0.0, 0.1))
        limited = item("A", conversion=tenths, limits=(Limits(red_high=25.5),))
        assert rules(packet("P", limited)) == ["limit-out-of-reach"]
        reachable = item("A", conversion=tenths, limits=(Limits(red_high=25.4),))
        assert rules(packet("P", reachable)) == []

    def test_a_limit_inside_a_parabola_is_reached(self) -> None:
        # 100 - (raw - 10)^2: both ends of 0 to 255 are low, the greatest value lies between them.
        parabola = Polynomial((0.0, 20.0, -1.0))
        assert rules(packet("P", item("A", conversion=parabola, limits=(Limits(red_high=99.0),)))) == []
        assert rules(packet("P", item("A", conversion=parabola, limits=(Limits(red_high=101.0),)))) == [
            "limit-out-of-reach"
        ]

    def test_an_argument_needs_a_conversion_with_one_raw_value_each(self) -> None:
        parabola = Polynomial((0.0, 20.0, -1.0))
        assert rules(commands=(command(Argument(name="A", conversion=parabola)),)) == ["not-invertible"]
        rising = Argument(name="A", conversion=Polynomial((0.0, 1.0, 1.0)))
        assert rules(commands=(command(rising),)) == []
        tent = PiecewiseLinear(((0, 0), (10, 5), (255, 0)), Extrapolation.EXTEND)
        assert rules(commands=(command(Argument(name="A", conversion=tent)),)) == ["not-invertible"]

    @pytest.mark.parametrize(
        ("argument", "expected"),
        [
            (Argument(name="A", minimum=0, maximum=255, default=255), []),
            (Argument(name="A", maximum=256), ["outside-type"]),
            (Argument(name="A", minimum=-1), ["outside-type"]),
            (Argument(name="A", minimum=5, maximum=4), ["outside-type"]),
            (Argument(name="A", minimum=5, default=4), ["outside-type"]),
            (Argument(name="A", default=256), ["outside-type"]),
            (Argument(name="A", conversion=Polynomial((0.0, 0.5)), maximum=127.5, default=100), []),
            (Argument(name="A", conversion=Polynomial((0.0, 0.5)), maximum=128), ["outside-type"]),
            (Argument(name="A", conversion=States((State("ON", 1, 1),)), default="ON"), []),
            (Argument(name="A", conversion=States((State("ON", 1, 1),)), default="OFF"), ["outside-type"]),
        ],
    )
    def test_ranges_and_defaults_must_fit_the_type(self, argument: Argument, expected: list[str]) -> None:
        assert rules(commands=(command(argument),)) == expected


def test_a_finding_tells_place_severity_remedy_and_rule() -> None:
    (finding,) = findings(packet("P", item("A", 8), item("B", 8, bit_offset=4)))
    text = str(finding)
    assert text.startswith("defs.yaml:7:3: error: SAT P B: bits 4 to 7 belong to A too; ")
    assert text.endswith("[overlap]")
    assert finding.as_json()["line"] == 7


def test_errors_come_before_warnings_and_notes() -> None:
    states = States((State("LOW", 0, 5), State("FIVE", 5, 5)))
    fields = item("A", 4, conversion=states), item("B", 8, bit_offset=8), item("C", 8, bit_offset=8)
    assert rules(packet("P", *fields)) == ["overlap", "states-overlap", "gap"]
