"""The reference of the format: every snippet loads, every key is told, and all that the model can hold is shown."""

import json
import re
from collections.abc import Iterator
from enum import Enum
from importlib import resources
from pathlib import Path
from typing import Any

import attrs
import pytest
from attrs import NOTHING, Attribute

from c2kit.dictionaries import Dictionary
from c2kit.model import commands, conversions, crc, fields, limits, packets, target, time
from c2kit.model.crc import CATALOGUE
from c2kit.model.fields import Encoding
from c2kit.model.time import EPOCHS

PAGE = (Path(__file__).parents[3] / "docs/reference/dictionary-yaml.md").read_text(encoding="utf-8")
EXAMPLE = Path(__file__).parents[3] / "examples/dictionary"
BLOCK = re.compile(r'^```(yaml|csv)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)


def snippets() -> Iterator[tuple[str, dict[str, str]]]:
    """Give the files of each section together: blocks with a title may name each other."""
    for section in re.split(r"^#{2,3} ", PAGE, flags=re.MULTILINE):
        blocks = BLOCK.findall(section)
        if blocks:
            files = {title or f"block-{number}.{kind}": text for number, (kind, title, text) in enumerate(blocks)}
            yield section.partition("\n")[0], files


def load(folder: Path, files: dict[str, str]) -> Dictionary:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return Dictionary.load(folder)


@pytest.mark.parametrize("files", [pytest.param(files, id=section) for section, files in snippets()])
def test_every_snippet_loads(tmp_path: Path, files: dict[str, str]) -> None:
    targets = sum(text.count("\ntarget: ") + text.startswith("target: ") for text in files.values())
    assert len(load(tmp_path, files)) == targets > 0


def test_no_snippet_is_overlooked() -> None:
    assert sum(len(files) for _, files in snippets()) == PAGE.count("\n```yaml") + PAGE.count("\n```csv")


@pytest.fixture
def everything(tmp_path: Path) -> list[object]:
    """Give each object of the model that the page's snippets and the example define."""
    found: list[object] = []

    def walk(value: Any) -> None:  # noqa: ANN401 - all that a definition is made of
        if attrs.has(type(value)):
            found.append(value)
            for attribute in attrs.fields(type(value)):
                walk(getattr(value, attribute.name))
        elif isinstance(value, tuple):
            for element in value:
                walk(element)
        elif isinstance(value, Enum):
            found.append(value)

    for number, (_, files) in enumerate(snippets()):
        folder = tmp_path / str(number)
        folder.mkdir()
        walk(load(folder, files))
    walk(Dictionary.load(EXAMPLE))
    return found


CLASSES = [
    one
    for module in (commands, conversions, crc, fields, limits, packets, target, time)
    for one in vars(module).values()
    if isinstance(one, type) and one.__module__ == module.__name__ and attrs.has(one) and not one.__subclasses__()
]


def is_shown(attribute: "Attribute[Any]", objects: list[object]) -> bool:
    factory = getattr(attribute.default, "factory", None)
    default = factory() if factory else attribute.default
    return any(default is NOTHING or getattr(each, attribute.name) != default for each in objects)


@pytest.mark.parametrize("one", CLASSES)
def test_everything_that_the_model_can_hold_is_shown(everything: list[object], one: type) -> None:
    objects = [each for each in everything if type(each) is one]
    assert [each.name for each in attrs.fields(one) if not is_shown(each, objects)] == []


@pytest.mark.parametrize("kind", [Encoding, conversions.Extrapolation, time.Scale])
def test_every_choice_is_shown(everything: list[object], kind: type[Enum]) -> None:
    assert set(kind) - {each for each in everything if isinstance(each, kind)} == set()


def keys(schema: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    if isinstance(schema, dict):
        if "additionalProperties" in schema:
            yield from schema.get("properties", {})
        for value in schema.values():
            yield from keys(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from keys(value)


def test_every_key_is_told() -> None:
    schema = json.loads((resources.files("c2kit.dictionaries") / "schema.json").read_text(encoding="utf-8"))
    told = set(re.findall(r"`([a-z_]+)`", PAGE)) | set(re.findall(r"[`{ ]([a-z_]+): ", PAGE))
    assert set(keys(schema)) - told == set()


def test_every_crc_and_epoch_is_told() -> None:
    assert {name for name in CATALOGUE if not re.search(rf"{re.escape(name)}\b", PAGE)} == set()
    assert {name for name in EPOCHS if f"| `{name}` |" not in PAGE} == set()
