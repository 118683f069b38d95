"""Definitions in words, for people: types as dictionaries spell them, conversions as formulas, states and limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit.model.commands import Checksum, LengthOf, SequenceCount
from c2kit.model.conversions import Extrapolation, Function, PiecewiseLinear, Polynomial, States
from c2kit.model.fields import Encoding, Expand, FieldReference, Fixed, Prefixed, Terminated
from c2kit.model.time import Cuc, Scale

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from c2kit.model.commands import Computed
    from c2kit.model.conversions import Conversion, State
    from c2kit.model.fields import Condition, Field, Length
    from c2kit.model.limits import Limits
    from c2kit.model.packets import DerivedItem, Item, Match, Packet
    from c2kit.model.time import PacketTime

__all__ = [
    "computed_words",
    "conversion_words",
    "identification_words",
    "limits_words",
    "number_words",
    "presence_words",
    "raw_words",
    "size_words",
    "states_words",
    "time_words",
    "type_words",
]

_SPELLED = {
    Encoding.UNSIGNED: "u",
    Encoding.TWOS_COMPLEMENT: "i",
    Encoding.ONES_COMPLEMENT: "ones",
    Encoding.SIGN_MAGNITUDE: "signmag",
    Encoding.IEEE754: "f",
    Encoding.MIL_STD_1750A: "m",
    Encoding.BOOLEAN: "bool",
    Encoding.STRING: "text",
    Encoding.BINARY: "bytes",
}


def type_words(field: Field) -> str:
    """The type as a dictionary spells it: ``u12``, ``i16le``, ``f32[4]``, ``text[16]``, ``bytes[...]``."""
    spelled = _SPELLED[field.encoding]
    if not field.encoding.is_bytes and not (field.encoding is Encoding.BOOLEAN and field.bit_length == 1):
        spelled += str(field.bit_length)
    if field.byte_order == "little":
        spelled += "le"
    elif field.byte_order != "big":
        spelled += f" in byte order {field.byte_order}"
    return spelled + _length_words(field.length)


def _length_words(length: Length | None) -> str:
    match length:
        case Fixed(shape):
            return f"[{', '.join(map(str, shape))}]"
        case FieldReference(name, multiply, add):
            factor = "" if multiply == 1 else f"{multiply} * "
            term = "" if add == 0 else f" {'+' if add > 0 else '-'} {abs(add)}"
            return f"[{factor}{name}{term}]"
        case Expand():
            return "[...]"
        case Terminated(terminator, max_bytes):
            most = "" if max_bytes is None else f", at most {size_words(max_bytes)}"
            return f" until {terminator.hex(' ')}{most}"
        case Prefixed(bit_length, byte_order):
            return f" after its length in u{bit_length}{'le' if byte_order == 'little' else ''}"
    return ""


def size_words(size_bytes: int) -> str:
    """A number of bytes."""
    return f"{size_bytes:,} byte{'' if size_bytes == 1 else 's'}"


def raw_words(field: Field, raw: object) -> str:
    """A raw value: as the display format shows it, bytes in hex, and with the name of its state."""
    if isinstance(raw, bytes):
        return raw.hex(" ") or "no bytes"
    shown = format(raw, field.display) if field.display and isinstance(raw, int) else str(raw)
    conversion = getattr(field, "conversion", None)
    state = conversion.name_of(raw) if isinstance(conversion, States) and isinstance(raw, int) else None
    return f"{shown} ({state})" if state else shown


def number_words(number: float) -> str:
    """A number with all its digits; a whole one without a point."""
    return str(int(number)) if abs(number) < 2**53 and float(number).is_integer() else repr(number)


def _point_words(raw: float, engineering: float) -> str:
    return f"({number_words(raw)}, {number_words(engineering)})"


def conversion_words(conversion: Conversion | None) -> str:
    """How a raw value becomes an engineering value; nothing for states, which have words of their own."""
    match conversion:
        case Polynomial(coefficients):
            return _polynomial_words(coefficients)
        case PiecewiseLinear(points, extrapolation):
            (low, low_value), (high, high_value) = points[0], points[-1]
            outside = {
                Extrapolation.NONE: "no value outside",
                Extrapolation.HOLD: "held outside",
                Extrapolation.EXTEND: "extended outside",
            }[extrapolation]
            ends = f"{_point_words(low, low_value)} to {_point_words(high, high_value)}"
            return f"{len(points)} points from {ends}, {outside}"
        case Function(path, version):
            return f"{path} version {version}"
    return ""


def _polynomial_words(coefficients: tuple[float, ...]) -> str:
    powers = {0: "", 1: " * raw"}
    terms = [
        (coefficient, f"{number_words(abs(coefficient))}{powers.get(power, f' * raw^{power}')}")
        for power, coefficient in enumerate(coefficients)
        if coefficient != 0
    ]
    if not terms:
        return "0"
    first, *others = reversed(terms)
    start = f"-{first[1]}" if first[0] < 0 else first[1]
    return start + "".join(f" {'-' if coefficient < 0 else '+'} {words}" for coefficient, words in others)


def states_words(conversion: Conversion | None, hazardous: Iterable[str] = ()) -> str:
    """``0=SAFE, 1=NOMINAL, 8..11=TEST``; an exclamation mark warns of a state that makes a command hazardous."""
    if not isinstance(conversion, States):
        return ""
    return ", ".join(_state_words(state) + ("!" if state.name in hazardous else "") for state in conversion.states)


def _state_words(state: State) -> str:
    values = str(state.low) if state.low == state.high else f"{state.low}..{state.high}"
    return f"{values}={state.name}"


def limits_words(item: Item | DerivedItem) -> list[str]:
    """One line for each set of limits: ``red below 10, yellow below 12, yellow above 30, red above 40``."""
    return [_limits_words(limits, is_only=len(item.limits) == 1) for limits in item.limits]


def _limits_words(limits: Limits, *, is_only: bool) -> str:
    bounds = (
        ("red below", limits.red_low),
        ("yellow below", limits.yellow_low),
        ("yellow above", limits.yellow_high),
        ("red above", limits.red_high),
    )
    told = ", ".join(f"{words} {number_words(bound)}" for words, bound in bounds if bound is not None)
    return told if is_only and limits.name == "default" else f"{limits.name}: {told}"


def presence_words(conditions: Iterable[Condition]) -> str:
    """When a field is there at all."""
    told = " and ".join(f"{condition.field} {condition.operator} {condition.value}" for condition in conditions)
    return f"only if {told}" if told else ""


def computed_words(computed: Computed) -> str:
    """What the encoder works out."""
    match computed:
        case LengthOf(first_byte, add):
            whole = "the length in bytes" if first_byte == 0 else f"the bytes from byte {first_byte} on"
            return whole + (f", {'plus' if add > 0 else 'less'} {abs(add)}" if add else "")
        case SequenceCount(per):
            return f"how many were encoded before{f', for each {per}' if per else ''}"
        case Checksum(algorithm, first_byte, last_byte):
            name = algorithm if isinstance(algorithm, str) else algorithm.name
            end = "itself" if last_byte is None else f"byte {last_byte}"
            return f"{name} from byte {first_byte} up to {end}"


def identification_words(packet: Packet, without: Container[Match] = ()) -> str:
    """By what a packet is known, besides what is known of it already."""
    named = {item.name: item for item in packet.items}
    matches = [match for match in packet.identification if match not in without]
    told = ", ".join(f"{match.item} = {raw_words(named[match.item], match.value)}" for match in matches)
    if packet.fallback:
        return f"{told}, where no other packet matches" if told else "anything that no other packet matches"
    return told or ("" if packet.identification else "any bytes")


def time_words(time: PacketTime | None) -> str:
    """Which fields tell the time, and since when they count."""
    if time is None:
        return ""
    counted = "every second counts" if time.epoch.scale is Scale.TAI else "leap seconds are not counted"
    fields = (
        (time.code.coarse, time.code.fine)
        if isinstance(time.code, Cuc)
        else (time.code.days, time.code.milliseconds, time.code.submilliseconds)
    )
    code = "CUC" if isinstance(time.code, Cuc) else "CDS"
    return f"{', '.join(name for name in fields if name)} ({code} since the epoch {time.epoch.name}, {counted})"
