"""Plain data, as JSON or YAML gives it, back to the values that it stands for.

Strict: a key that nobody asked for, a text where a number belongs, and whatever a value itself refuses are faults, and
all of them are told at once, each with its path. Nothing is converted that only looks like what was wanted.
"""

from __future__ import annotations

import difflib
import json
from enum import StrEnum
from types import GenericAlias
from typing import TYPE_CHECKING, Any, get_args, get_origin

import attrs
import cattrs
from attrs import evolve, frozen
from cattrs.gen import make_dict_structure_fn

from c2kit.errors import UsageError
from c2kit.pipeline.composition.description import SCHEMA_VERSION, MissionDescription

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TypeVar

    Value = TypeVar("Value")
    Hook = Callable[[Any, Any], Any]

__all__ = ["Fault", "Faulty", "description_from_json", "nearest", "structured"]

Path = tuple[str | int, ...]
"""Keys and indices, from the outermost to the innermost."""


@frozen(kw_only=True)
class Fault:
    """Something that is wrong with the data: where, and what."""

    path: Path
    what: str
    expected: object = None
    found: object = None
    remedy: str = ""

    @property
    def place(self) -> str:
        """The path as a person writes it: ``stages[3].scale.min``."""
        steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        return "".join(steps).lstrip(".")


class Faulty(UsageError):
    """Data that does not stand for what it should; ``faults`` is all that is wrong with it, at least one."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        first = self.faults[0]
        place = f"{first.place}: " if first.place else ""
        super().__init__(f"{place}{first.what}", expected=first.expected, found=first.found, remedy=first.remedy)


def structured(kind: type[Value], data: object) -> Value:
    """The value of that kind (an attrs class of plain data, StrEnums and such classes). Raises Faulty."""
    try:
        return _CONVERTER.structure(data, kind)
    except (cattrs.BaseValidationError, UsageError) as error:
        raise Faulty(_faults(error, ())) from None


def description_from_json(text: str, name: str) -> MissionDescription:
    """What ``c2kit graph --format json`` printed, read back from a file that is called ``name`` in errors.

    Raises:
        UsageError: it is no JSON, no description, or of another version of c2kit than this.
    """
    try:
        data = json.loads(text)
    except ValueError as error:
        remedy = "write it with c2kit graph SCRIPT --format json"
        raise UsageError(f"{name} is no JSON", found=error, remedy=remedy) from None
    version = data.get("schema_version") if isinstance(data, dict) else None
    if version != SCHEMA_VERSION:
        raise UsageError(
            f"the description of a mission in {name}",
            expected=f"schema version {SCHEMA_VERSION}",
            found="none" if version is None else repr(version),
            remedy="write it anew with this c2kit: c2kit graph SCRIPT --format json",
        )
    try:
        return structured(MissionDescription, data)
    except Faulty as error:
        what = f"{name}: {error.what}"
        raise UsageError(what, expected=error.expected, found=error.found, remedy=error.remedy) from None


# -- from cattrs' words to ours -----------------------------------------------------------------


def _faults(error: Exception, path: Path) -> Iterator[Fault]:
    """What one of cattrs' errors, which hold each other, tells."""
    if isinstance(error, cattrs.BaseValidationError):
        for each in error.exceptions:
            yield from _faults(each, (*path, *_step(each)))
    elif isinstance(error, cattrs.ForbiddenExtraKeysError):
        known = [field.name for field in attrs.fields(error.cl)]
        for key in sorted(error.extra_fields, key=str):
            yield Fault(path=(*path, str(key)), what="there is no such key", remedy=nearest(str(key), known))
    elif isinstance(error, KeyError):
        yield Fault(path=path, what="it is missing", remedy="add it")
    elif isinstance(error, Faulty):
        yield from (evolve(fault, path=(*path, *fault.path)) for fault in error.faults)
    elif isinstance(error, UsageError):
        yield Fault(path=path, what=error.what, expected=error.expected, found=error.found, remedy=error.remedy)
    else:
        yield Fault(path=path, what=str(error))


def _step(error: BaseException) -> Path:
    """The key or index that cattrs noted on an error."""
    for note in getattr(error, "__notes__", ()):
        if isinstance(note, cattrs.AttributeValidationNote):
            return (note.name,)
        if isinstance(note, cattrs.IterableValidationNote):
            return (note.index,)
    return ()


def nearest(name: str, known: Iterable[str]) -> str:
    """A remedy for a name that is not known."""
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"


# -- how strict ---------------------------------------------------------------------------------


def _exactly(expected: str, *kinds: type) -> Hook:
    def hook(value: object, _: object) -> object:
        is_truth_for_number = isinstance(value, bool) and bool not in kinds
        if is_truth_for_number or not isinstance(value, kinds):
            remedy = "put it in quotes" if kinds == (str,) and isinstance(value, int | float) else ""
            raise UsageError("it is something else", expected=expected, found=_shown(value), remedy=remedy)
        return value

    return hook


def _shown(value: object) -> str:
    """What stands there, cut, for people."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _choice(value: object, kind: type[StrEnum]) -> StrEnum:
    values = [member.value for member in kind]
    if value not in values:
        raise UsageError("there is no such choice", expected=" or ".join(values), found=_shown(value))
    return kind(value)


def _checked(check: Hook, then: Hook, kind: object) -> Hook:
    return lambda value, _: then(check(value, kind), kind)


def _fields(kind: type, converter: cattrs.Converter) -> Hook:
    made: Hook = make_dict_structure_fn(kind, converter, _cattrs_forbid_extra_keys=True)
    return _checked(_exactly("a mapping", dict), made, kind)


def _list(kind: Any, converter: cattrs.Converter) -> Hook:  # noqa: ANN401 - a type with its parameters
    inner = GenericAlias(list, get_args(kind)[:1])
    elements = _checked(_exactly("a list", list), converter.get_structure_hook(inner), inner)
    return lambda value, _: tuple(elements(value, kind))


def _mapping(kind: Any, converter: cattrs.Converter) -> Hook:  # noqa: ANN401 - a type with its parameters
    return _checked(_exactly("a mapping", dict), converter.gen_structure_mapping(kind), kind)


def _is_tuple(kind: object) -> bool:
    return get_origin(kind) is tuple


def _is_dict(kind: object) -> bool:
    return get_origin(kind) is dict


def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(detailed_validation=True, forbid_extra_keys=True)
    converter.register_structure_hook(str, _exactly("a text", str))
    converter.register_structure_hook(bool, _exactly("true or false", bool))
    converter.register_structure_hook(int, _exactly("a whole number", int))
    converter.register_structure_hook(float, _exactly("a number", int, float))
    converter.register_structure_hook(StrEnum, _choice)
    converter.register_structure_hook_factory(attrs.has, _fields)
    converter.register_structure_hook_factory(_is_tuple, _list)
    converter.register_structure_hook_factory(_is_dict, _mapping)
    return converter


_CONVERTER = _converter()
