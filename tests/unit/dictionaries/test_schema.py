"""The JSON Schema for editors agrees with the loader, as far as a schema can."""

import json
import re
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from c2kit.dictionaries import Dictionary
from c2kit.errors import DefinitionError

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads((resources.files("c2kit.dictionaries") / "schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)


class _EditorLoader(yaml.SafeLoader):
    """YAML as editors read it: the core schema of YAML 1.2, in which ``NO`` is a word and ``12:30`` is not a number."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - as the library has it


for tag, pattern, first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)", "-+.0123456789"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
):
    _EditorLoader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(rf"(?:{pattern})\Z"), list(first))


def complaints(text: str) -> list[str]:
    document = yaml.load(text, Loader=_EditorLoader)  # noqa: S506 - a safe one
    return [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(document)]


def load(folder: Path, text: str) -> Dictionary:
    path = folder / "defs.yaml"
    path.write_text(text, encoding="utf-8")
    return Dictionary.load(path)


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_the_published_schema_is_the_one_that_is_shipped() -> None:
    published = (ROOT / "docs/reference/dictionary.schema.json").read_text(encoding="utf-8")
    assert json.loads(published) == SCHEMA


@pytest.mark.parametrize("path", sorted((ROOT / "examples/dictionary").glob("*.yaml")), ids=lambda path: path.name)
def test_the_example_is_valid(path: Path) -> None:
    assert complaints(path.read_text(encoding="utf-8")) == []


def test_every_snippet_of_the_reference_is_valid() -> None:
    page = (ROOT / "docs/reference/dictionary-yaml.md").read_text(encoding="utf-8")
    snippets = re.findall(r"^```yaml[^\n]*\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(snippets) > 10
    assert [complaint for snippet in snippets for complaint in complaints(snippet)] == []


ITEMS = "target: A\nstates: {S: {X: 1}}\nconversions: {C: {scale: 2}}\nlimits: {L: {red_low: 1}}\n"
ITEMS += "packets: {P: {items: {N: u8, M: {type: u8, states: {NO: 0, YES: 1}}, X: %s}}}\n"
ARGUMENT = "target: A\ncommands: {C: {arguments: {N: u8, X: %s}}}\n"
PACKET = "target: A\nheaders: {H: {items: {A: u8, S: u32}}}\npackets: {P: {%s}}\n"


@pytest.mark.parametrize(
    "text",
    [
        *(ITEMS % f'"{one}"' for one in ("u1", "u64le", "i13[4]", "ones2", "signmag64be", "f16", "m48", "bool8[2, 3]")),
        *(ITEMS % f'"{one}"' for one in ("u8[N]", "u8[2*N-1]", "u8[N * 2 + 1]", "text[...]", "bytes[ N ]", " u8 ")),
        ITEMS % "{type: u8, states: {ON: 1, NO: 0x02, NULL: 3, 4: 0b100, R: 5..7, L: [8, 9..10]}}",
        ITEMS % "{type: i8, states: {A: {value: -5..-1, description: below}, B: {value: [1, 2]}}}",
        ITEMS % "{type: u32, byte_order: 4321, scale: 1e-3, offset: -5, units: 1, description: 5}",
        ITEMS % "{type: u32, byte_order: little, at_byte: 1_000, at_bit: 0x7, display: '#x'}",
        ITEMS % "{type: u8, states: S, limits: L}",
        ITEMS % "{type: u8, conversion: C, limits: {a: {red_low: 1}, b: {red_high: 2.5}}}",
        ITEMS % "{type: text, until: 0x00, max_bytes: 0x10, charset: ascii, padding: 0, cut_at: x}",
        ITEMS % "{type: u8, only_if: {N: 1, M: [YES, '!= NO']}}",
        ITEMS % "{type: u8, only_if: {N: '> 1.5'}}",
        ARGUMENT % "{type: u8, default: 5, required: true, minimum: 0, maximum: 1e2}",
        ARGUMENT % "{type: 'f32[2]', default: [1, 2]}",
        ARGUMENT % "{type: u8, states: {ON: 1}, default: ON, hazardous: [ON]}",
        ARGUMENT % "{type: u16, computed: {crc: {width: 16, polynomial: 0x1021, check: 0x31C3}, end_byte: 4}}",
        ARGUMENT % "{type: u16, computed: {sequence_count: {per: N}}}",
        PACKET % "extends: H, items: {}, identify: {A: 0x64}, fallback: true, size_bytes: 8, overlaps: false",
        PACKET % "extends: H, time: {cuc: S, epoch: {at: 2000-01-01, scale: tai}}",
        PACKET % "extends: H, derived: {D: {function: 'a.b:c', of: [A], version: 2, limits: {red_low: 1}}}",
        "target: 5A\ndescription: 2024\ninclude: []\n",
    ],
)
def test_what_loads_is_valid(tmp_path: Path, text: str) -> None:
    assert len(load(tmp_path, text)) == 1
    assert complaints(text) == []


@pytest.mark.parametrize(
    "text",
    [
        *(ITEMS % f'"{one}"' for one in ("u0", "u65", "u08", "ones1", "f24", "m16", "bool65", "uint8", "U8", "u8 le")),
        *(ITEMS % f'"{one}"' for one in ("u8[]", "u8[-1]", "u8[1.5]", "u8[a b]", "u8[4]le", "text4", "textle[4]", "")),
        *(ITEMS % one for one in ("{}", "{units: V}", "[u8]", "5", "{type: 8}", "{type: u8, unit: V}", "null")),
        ITEMS % "{type: u8, scale: two}",
        ITEMS % "{type: u8, scale: 1.5.2}",
        ITEMS % "{type: u8, at_bit: -1}",
        ITEMS % "{type: u8, at_byte: 1.5}",
        ITEMS % "{type: u8, polynomial: []}",
        ITEMS % "{type: u8, polynomial: 5}",
        ITEMS % "{type: u8, piecewise: [[0, 1]]}",
        ITEMS % "{type: u8, piecewise: [[0, 1], [1]]}",
        ITEMS % "{type: u8, piecewise: [[0, 1], [1, 2]], extrapolate: maybe}",
        ITEMS % "{type: u8, function: os.system}",
        ITEMS % "{type: u8, states: {}}",
        ITEMS % "{type: u8, states: {A: }}",
        ITEMS % "{type: u8, states: {A: 1.5}}",
        ITEMS % "{type: u8, states: {A: one}}",
        ITEMS % "{type: u8, states: {A: 1..}}",
        ITEMS % "{type: u8, states: {A: {description: x}}}",
        ITEMS % "{type: u8, limits: {}}",
        ITEMS % "{type: u8, limits: {red: 1}}",
        ITEMS % "{type: u8, limits: {red_low: low}}",
        ITEMS % "{type: u8, limits: {a: {}}}",
        ITEMS % "{type: u8, only_if: {}}",
        ITEMS % "{type: u8, only_if: N}",
        ITEMS % "{type: u8, only_if: {N: []}}",
        ITEMS % "{type: u8, length: {add: 1}}",
        ITEMS % "{type: u8, length: 5}",
        ITEMS % "{type: bytes, prefix: i8}",
        ITEMS % "{type: bytes, prefix: u33}",
        ITEMS % "{type: u32, byte_order: middle}",
        ITEMS % "{type: u8, fixed: 1}",
        ARGUMENT % "{type: u8, required: 1}",
        ARGUMENT % "{type: u8, minimum: low}",
        ARGUMENT % "{type: u8, computed: size}",
        ARGUMENT % "{type: u8, computed: {}}",
        ARGUMENT % "{type: u8, computed: {checksum: product}}",
        ARGUMENT % "{type: u8, computed: {length: {}, crc: CRC-8/SMBUS}}",
        ARGUMENT % "{type: u8, computed: {crc: {width: 8}}}",
        ARGUMENT % "{type: u8, states: {A: 1}, hazardous: A}",
        PACKET % "item: {}",
        PACKET % "items: []",
        PACKET % "items: {1A: u8}",
        PACKET % "items: {A B: u8}",
        PACKET % "extends: [H]",
        PACKET % "extends: H, fallback: 1",
        PACKET % "extends: H, fallback: yes",
        PACKET % "extends: H, size_bytes: -5",
        PACKET % "extends: H, byte_order: middle",
        PACKET % "extends: H, identify: {A: [1]}",
        PACKET % "extends: H, length: {add: 7}",
        PACKET % "extends: H, time: gps",
        PACKET % "extends: H, time: {cuc: S}",
        PACKET % "extends: H, time: {epoch: gps}",
        PACKET % "extends: H, time: {cds: {days: A}, epoch: gps}",
        PACKET % "extends: H, time: {cuc: {fine: A}, epoch: gps}",
        PACKET % "extends: H, time: {cuc: S, epoch: {at: now, scale: tai}}",
        PACKET % "extends: H, time: {cuc: S, epoch: {at: 2000-01-01, scale: tt}}",
        PACKET % "extends: H, derived: {D: {of: [A]}}",
        PACKET % "extends: H, derived: {D: {function: 'a:b', of: []}}",
        PACKET % "extends: H, offsets_from: start, csv: a.csv",
        "target: A_B\n",
        "target: ''\n",
        "target: A\npacket: {}\n",
        "target: A\npackets: []\n",
        "target: A\nheaders: {H: {item: {}}}\n",
        "target: A\ncommands: {C: {items: {A: u8}}}\n",
        "target: A\ncommands: {C: {hazardous: very}}\n",
        "target: A\nstates: {S: {}}\n",
        "target: A\nconversions: {C: {}}\n",
        "target: A\nconversions: {C: {states: {A: 1}}}\n",
        "target: A\ninclude: {a: b}\n",
        "- target\n",
        "target\n",
    ],
)
def test_what_is_wrong_is_refused_by_both(tmp_path: Path, text: str) -> None:
    with pytest.raises(DefinitionError):
        load(tmp_path, text)
    assert complaints(text) != []
