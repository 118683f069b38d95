"""Whatever is done to a dictionary, it is refused with its place, or it loads and then decodes any bytes.

The example dictionary is damaged in one of its files: in its structure (keys and values renamed, removed, swapped,
replaced by what is known to be awkward) or in its text. What still loads goes through everything that works on
definitions: hashes, the prover, identification, decommutation by both kernels, limits.
"""

import copy
import json
import re
import tempfile
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from c2kit.batches import PacketBatch
from c2kit.dictionaries import Dictionary
from c2kit.dictionaries.prover import prove
from c2kit.errors import DefinitionError
from c2kit.kernel import columns, reference
from c2kit.kernel.layout import Layout
from c2kit.processors import Decommutator, Identifier, LimitsMonitor
from tests.property.mixtures import mixtures

EXAMPLE = Path(__file__).parents[2] / "examples/dictionary"
FILES = {path.name: path.read_text(encoding="utf-8") for path in sorted(EXAMPLE.glob("*.yaml"))}


def _keys(schema: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
    for value in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from _keys(value)


SCHEMA = json.loads((resources.files("c2kit.dictionaries") / "schema.json").read_text(encoding="utf-8"))
KEYS = sorted({*_keys(SCHEMA), "APID", "KIND", "LENGTH", "SECONDS", "CCSDS", "TELEMETRY", "COMMAND", "X", "", "0", "é"})
NUMBERS = [
    *("0", "1", "-1", "2", "7", "8", "15", "63", "64", "65", "127", "255", "256", "65535", "65536", "1_000"),
    *("4294967295", "4294967296", "9223372036854775807", "-9223372036854775808", "18446744073709551615"),
    *("18446744073709551616", "1e19", "1" + "0" * 60, "0.5", "-0.0", "1e308", "1.8e308", "1e-320", "-1e308"),
    *(".inf", "nan", "inf", "0x", "0x1ACFFC1D", "0b2", "0o7", "010", "1.5.2", "１"),  # noqa: RUF001 - awkward on purpose
]
WORDS = [
    *("", "~", "true", "false", "yes", "NO", "..", "2..5", "5..2", "-1..1", "0..18446744073709551615", "SAFE", "*x"),
    *(
        "u1",
        "u8",
        "i64",
        "u64le",
        "ones64",
        "signmag2",
        "f16",
        "f64le",
        "m32",
        "m48le",
        "bool64",
        "bool",
        "text",
        "bytes",
    ),
    *("u8[...]", "bool[...]", "f16[...]", "m48[...]", "text[...]", "bytes[...]", "u64[1048576]", "u1[2,2,2]"),
    *("u8[KIND]", "i12[APID]", "text[LENGTH]", "bytes[LENGTH * 999999999 - 1]", "f32[SECONDS]", "u8[KIND - 9]"),
    *("bytes[4294967296]", "text[1]", "u8[99999999999]", "m32[3]", "u7le[4]", "u24le", "u12le"),
    *("little", "big", "21", "2143", "87654321", "utf-16", "utf-7", "idna", "punycode", "unicode_escape", "hex", "\0"),
    *(
        ">= 2",
        "!= 0",
        "< -5",
        "== x",
        ">1e400",
        "os:abort",
        "c2kit.functions:mean",
        "a.b:c",
        "x" * 300,
        "{}",
        ".9f",
        "é",
    ),
    *(
        "common.yaml",
        "antenna.yaml",
        ".",
        "/dev/zero",
        "gps",
        "tai",
        "2000-01-01",
        "9999-12-31T23:59:59",
        "sequence_count",
    ),
    *(
        "CCSDS",
        "TELEMETRY",
        "COMMAND",
        "APID",
        "KIND",
        "SECONDS",
        "LENGTH",
        "CRC",
        "THERMISTOR",
        "OFF_ON",
        "CELL_VOLTAGE",
    ),
]
TYPES = [word for word in WORDS if re.fullmatch(r"(?:[uifm]|ones|signmag|bool|text|bytes)\d*(?:le)?(?:\[.*\])?", word)]
SMALL = [number for number in NUMBERS if re.fullmatch(r"-?\d{1,5}", number)]
scalars = st.one_of(st.sampled_from(NUMBERS), st.sampled_from(WORDS), st.text(max_size=5), st.integers().map(str))
values = st.one_of(
    scalars,
    st.lists(scalars, max_size=3),
    st.dictionaries(st.sampled_from(KEYS), scalars, max_size=3),
    st.just([["0", "1"], ["1", "0"]]),
)


class _PlainDumper(yaml.SafeDumper):
    """Writes scalars as they were read: without quotes where they had none."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - as the library has it

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the library's signature
        return True


def _places(tree: Any) -> list[tuple[Any, Any]]:  # noqa: ANN401 - mappings, lists and strings
    """Give the container and key of everything in a tree."""
    inside = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [place for key, value in inside for place in ((tree, key), *_places(value))]


def _alike(value: object) -> st.SearchStrategy[Any]:
    """Give what may well stand in the place of a value, so that not everything is refused."""
    if isinstance(value, str) and (value in TYPES or re.fullmatch(r"[a-z]+\d*(?:\[.*\])?", value)):
        return st.sampled_from(TYPES)
    return st.sampled_from(SMALL) if isinstance(value, str) and value[:1].isdigit() else values


def _change(draw: st.DrawFn, tree: Any) -> None:  # noqa: ANN401 - mappings, lists and strings
    places = _places(tree)
    container, key = draw(st.sampled_from(places))
    match draw(st.sampled_from(["replace", "replace", "replace", "remove", "rename", "add", "copy"])):
        case "replace":
            container[key] = copy.deepcopy(draw(st.one_of(_alike(container[key]), values)))
        case "remove":
            del container[key]
        case "rename" if isinstance(container, dict):
            new = draw(st.sampled_from([*KEYS, *map(str, container)]))
            renamed = [(new if old == key else old, value) for old, value in container.items()]
            container.clear()
            container.update(renamed)
        case "add" if isinstance(container, dict):
            container[draw(st.sampled_from(KEYS))] = copy.deepcopy(draw(values))
        case _:
            other, its_key = draw(st.sampled_from(places))
            container[key] = copy.deepcopy(other[its_key])


@st.composite
def changed_structures(draw: st.DrawFn) -> tuple[str, str]:
    name = draw(st.sampled_from(sorted(FILES)))
    tree = yaml.load(FILES[name], Loader=yaml.BaseLoader)  # noqa: S506 - makes strings only
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 4]))):
        if _places(tree):
            _change(draw, tree)
    width = draw(st.sampled_from([40, 10**6]))
    return name, yaml.dump(tree, Dumper=_PlainDumper, sort_keys=False, allow_unicode=True, width=width)


@st.composite
def changed_texts(draw: st.DrawFn) -> tuple[str, str]:
    name = draw(st.sampled_from(sorted(FILES)))
    text = FILES[name]
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 4]))):
        start = draw(st.integers(0, len(text)))
        removed = draw(st.sampled_from([0, 0, 1, 1, 2, 10, 200]))
        put = draw(
            st.one_of(
                st.sampled_from([*"{}[]:,&*!|>'\"%@`#?-\t\n\r 0x1", "\n  ", "- - ", "<<: ", "\ufeff", "\0", "---\n"]),
                st.text(max_size=3),
                scalars,
            )
        )
        text = text[:start] + put + text[start + removed :]
    return name, text


def _batch(packets: list[bytes]) -> PacketBatch:
    ends = np.cumsum([len(packet) for packet in packets])
    starts = ends - [len(packet) for packet in packets]
    return PacketBatch(
        buffer=b"".join(packets) + b"after", starts=starts, ends=ends, received=np.zeros(len(packets), np.int64)
    )


def _use(dictionary: Dictionary, packets: list[bytes]) -> None:
    """Do with the definitions all that is done with definitions."""
    assert all(len(each) == 64 for each in dictionary.hashes.values())
    prove(dictionary.targets)
    batch = _batch(packets)
    for target in dictionary.targets:
        for packet in target.packets:
            layout = Layout(packet.items)
            fast = columns.decode(layout, batch.buffer, batch.starts, batch.ends)
            slow = reference.decode(layout, batch.buffer, batch.starts, batch.ends)
            assert len(fast) == len(slow) == len(packet.items)
        # Each definition by itself, so that none hides behind another that the same bytes could be.
        identify, decommutate = Identifier(dictionary, [target.name]), Decommutator(dictionary)
        for place in range(len(target.packets)):
            for identified in identify.process(batch):
                chosen = np.full(len(identified), place, np.int32)
                _decommutate(decommutate, identified, chosen)


def _decommutate(decommutate: Decommutator, identified: PacketBatch, definition: npt.NDArray[np.int32]) -> None:
    late: DefinitionError | None = None
    try:
        for telemetry in decommutate.process(evolve(identified, definition=definition)):
            for limited in LimitsMonitor().process(telemetry):
                assert len(limited) == len(identified)
    except DefinitionError as error:
        late = error
    # A function that does not exist is all that is found this late.
    assert late is None or ("function" in late.what and late.source is not None)


def check(name: str, text: str, packets: list[bytes]) -> bool:
    """Load the example with one file changed or added. Give whether it was accepted."""
    with tempfile.TemporaryDirectory() as folder:
        for other, content in {**FILES, name: text}.items():
            data = content.encode("utf-8", "surrogatepass")
            (Path(folder) / other).write_bytes(data)
        try:
            dictionary = Dictionary.load(folder)
        except DefinitionError as error:
            for each in (error, *error.others):
                assert each.source is not None
                assert each.source.file.startswith(folder)
                assert each.source.line >= 1
                assert str(each).startswith(f"{each.source.file}:{each.source.line}:")
            return False
    _use(dictionary, packets)
    return True


PACKETS = st.lists(st.binary(max_size=90), max_size=3).map(
    lambda some: [*some, b"", b"\0" * 80, b"\xff" * 80, b"\x08\x64\xc0\x00\x00\x50" + bytes(range(80))]
)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(changed=changed_structures(), packets=PACKETS)
def test_a_changed_structure_is_refused_or_decodes(changed: tuple[str, str], packets: list[bytes]) -> None:
    check(*changed, packets)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(changed=changed_texts(), packets=PACKETS)
def test_a_changed_text_is_refused_or_decodes(changed: tuple[str, str], packets: list[bytes]) -> None:
    check(*changed, packets)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(mixture=mixtures(), packets=PACKETS)
def test_a_mixture_is_refused_or_decodes(mixture: str, packets: list[bytes]) -> None:
    check("mixed.yaml", mixture, packets)


def test_what_was_not_changed_is_accepted() -> None:
    assert check("common.yaml", FILES["common.yaml"], [b"", b"\xff" * 64])
