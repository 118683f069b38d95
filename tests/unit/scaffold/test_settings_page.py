"""The reference tells of every setting with its default, and of no other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from c2kit.scaffold.settings import LinkSettings, Settings, StoreSettings, VolumeSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = (Path(__file__).parents[3] / "docs/reference/settings-yaml.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `([^`]+)` \| .* \| (.*) \|$", PAGE, re.MULTILINE))
NAMED = {"links": ("INTERFACE", LinkSettings), "stages": ("STAGE", VolumeSettings), "stores": ("STORE", StoreSettings)}
"""The settings that are of something with a name."""


def keys(of: Any, prefix: str = "") -> Iterator[tuple[str, object]]:  # noqa: ANN401 - any settings
    """All keys, with their defaults."""
    for each in attrs.fields(type(of)):
        value = getattr(of, each.name)
        if each.name in NAMED:
            name, kind = NAMED[each.name]
            yield from keys(kind(), f"{prefix}{each.name}.{name}.")
        elif attrs.has(type(value)):
            yield from keys(value, f"{prefix}{each.name}.")
        else:
            yield f"{prefix}{each.name}", value


KEYS = dict(keys(Settings(namespace="firefly", registry="localhost/firefly")))


def test_the_page_has_every_key_and_no_other() -> None:
    assert ROWS.keys() == KEYS.keys()


def test_the_page_has_the_defaults() -> None:
    told = {key: default.strip("`") for key, default in ROWS.items() if default.startswith("`") or default.isdecimal()}
    inherited = {key for key in told if key.startswith("storage.stages.")} | {"registry", "monitoring.labels"}
    assert {key: told[key] for key in told.keys() - inherited} == {
        key: str(KEYS[key]) for key in told.keys() - inherited
    }
    nothing = [key for key, default in ROWS.items() if default == "none"]
    assert all(KEYS[key] in ("", ()) for key in nothing)
