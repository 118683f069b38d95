"""Packets of anything, as YAML: each item is right by itself, and the whole is seldom what anybody would write."""

from collections.abc import Sequence

from attrs import define, field
from hypothesis import strategies as st

SINGLES = (
    *("u1", "u8", "u16", "u64", "i7", "i64le", "ones64", "signmag2", "bool", "bool64"),
    *("f16", "f64le", "m32", "m48"),
)
ARRAYS = (
    *("u8[3]", "i12[2, 2]", "u64[1000000]", "m48[2]", "u7le[4]", "u9[@]", "i8[3 * @ - 2]"),
    *("u8[...]", "f32[...]", "bool[...]"),
)
SEQUENCES = ("text[5]", "bytes[2]", "bytes[4294967296]", "text[...]", "bytes[@]", "text[999999999 * @ + 1]")
CONVERSIONS = (
    *("scale: -1e308", "offset: 0.1", "polynomial: [1e308, -1e308, 1e308]", "polynomial: [5]", "scale: 0"),
    *("piecewise: [[0, 1], [255, -1]]", "piecewise: [[-1e308, -1e308], [1e308, 1e308]], extrapolate: extend"),
    *("piecewise: [[0, 0], [1e-320, 1e308]], extrapolate: hold", 'function: "c2kit.functions:mean"'),
)
STATES = (
    "states: {A: 0, B: 1..9, C: -5..-1}",
    "states: {A: -9223372036854775808..18446744073709551615, B: [3, 1..5]}",
)
LIMITS = (
    "limits: {red_low: -1e308, yellow_high: 0.5}",
    "limits: {a: {red_high: 18446744073709551615}, default: {yellow_low: -0.5}}",
)
PLACES = ("at_bit: 0", "at_bit: 13", "at_byte: 70", "at_bit: 34359738360")
CONDITIONS = ("{@: 1}", '{@: "> 0.5"}', '{@: [">= 0", "!= 7"]}', '{@: "<= 18446744073709551615"}', "{@: -1}")
ENDS = ('until: "\\0"', "until: 0xFFFF, max_bytes: 3", "prefix: u8", "prefix: u32le", "prefix: u3", "length: {item: @}")
CHARSETS = ("charset: utf-16", "charset: utf-7", "charset: idna", "charset: unicode_escape, cut_at: a", "padding: 0xFF")
SAID = {
    "identify": ("", "{@: 0}", "{@: 1, A: 8}"),
    "time": (
        *("", "", "{cuc: S, epoch: gps}", "{cuc: {coarse: @, fine: S}, epoch: {at: 2115-12-31T23:59:59, scale: tai}}"),
        "{cds: {days: B, milliseconds: S, submilliseconds: B}, epoch: {at: 1824-01-01, scale: utc}}",
    ),
    "overlaps": ("", "true"),
    "length": ("", "{item: @, add: 7}"),
    "derived": ("", '{D: {function: "c2kit.functions:sum", of: [@, A]}}'),
}


@define
class _Mixture:
    """A packet in the making."""

    draw: st.DrawFn
    items: dict[str, str] = field(factory=lambda: {"A": "u8", "B": "u16", "S": "u32"})
    integers: list[str] = field(factory=lambda: ["A", "B", "S"])
    numbers: list[str] = field(factory=lambda: ["A", "B", "S"])

    def one(self, choices: Sequence[str]) -> str:
        return self.draw(st.sampled_from(choices)).replace("@", self.draw(st.sampled_from(self.integers)))

    def maybe(self, choices: Sequence[str], chance: int) -> list[str]:
        return [self.one(choices)] if self.draw(st.integers(1, chance)) == 1 else []

    def add(self, name: str) -> None:
        kind = self.draw(st.sampled_from(["single", "single", "array", "sequence", "ended"]))
        if kind == "single":
            spelling = self.one(SINGLES)
            is_integer = spelling[0] not in "fm"
            keys = self.maybe([*CONVERSIONS, *STATES] if is_integer else CONVERSIONS, 3) + self.maybe(LIMITS, 5)
        elif kind == "array":
            spelling = self.one(ARRAYS)
            is_integer = False
            keys = self.maybe(CONVERSIONS, 3) + self.maybe(LIMITS, 5)
        else:
            spelling = self.one(SEQUENCES) if kind == "sequence" else self.draw(st.sampled_from(["text", "bytes"]))
            is_integer = False
            keys = [self.one(ENDS)] if kind == "ended" else []
            keys += self.maybe(CHARSETS, 3) if spelling.startswith("text") else []
        keys += self.maybe(PLACES, 8)
        if self.draw(st.integers(1, 5)) == 1:
            condition = self.draw(st.sampled_from(CONDITIONS)).replace("@", self.draw(st.sampled_from(self.numbers)))
            keys.append(f"only_if: {condition}")
        self.items[name] = ", ".join([f'type: "{spelling}"', *keys])
        self.numbers += [name] if kind == "single" else []
        self.integers += [name] if is_integer else []


@st.composite
def mixtures(draw: st.DrawFn) -> str:
    """Give a dictionary file with one packet."""
    mixture = _Mixture(draw)
    lines = ["target: MIXED", "packets:", "  P:", "    items:"]
    for number in range(draw(st.integers(1, 8))):
        mixture.add(f"I{number}")
    for name, settings in mixture.items.items():
        lines.append(f"      {name}: {settings if name in 'ABS' else f'{{{settings}}}'}")
    for key, choices in SAID.items():
        said = mixture.one(choices)
        lines += [f"    {key}: {said}"] if said else []
    return "\n".join(lines)
