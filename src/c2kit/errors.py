"""The exceptions of c2kit, in one tree.

::

    C2kitError
    ├── UsageError             the API or the command line was used in a way that cannot work
    │   └── UnknownName        a target, packet, item, command or argument that nobody defined
    ├── DefinitionError        a dictionary that cannot be right; knows the file, line and column
    ├── CommandRefused         a command whose arguments cannot be encoded; names every bad argument
    └── MessageError           a record or file that claims to be ours and is not

Everything here is raised for *local* misuse, at once, to the person who can mend it. Wrong bytes from a link are not
misuse: they are data, travel as :class:`~c2kit.protocols.Discarded` or unknown packets, and are counted; no
exception of this module is ever raised because of them. That is why the tree is so small: one class for each reader of
the message (whoever wrote the code, the dictionary, the command, or the file), not one for each place that can fail.

Constructors take the facts as keywords and write the sentence; the facts stay on the exception for programs to read.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from c2kit.model.source import Source

__all__ = [
    "ArgumentFault",
    "C2kitError",
    "CommandRefused",
    "DefinitionError",
    "MessageError",
    "UnknownName",
    "UsageError",
]


_MOST_SHOWN = 50
"""A file that is not a dictionary at all is told in a screen, not in ten thousand lines."""


class C2kitError(Exception):
    """The root of all exceptions that c2kit raises on purpose."""


def _sentence(what: str, expected: object, found: object, remedy: str) -> str:
    parts = [what]
    if expected is not None:
        parts.append(f"expected {expected}")
    if found is not None:
        parts.append(f"found {found}")
    text = ", ".join(parts)
    return f"{text}; {remedy}" if remedy else text


class UsageError(C2kitError, ValueError):
    """The API or the command line was used in a way that cannot work.

    ``what`` names the thing and where it stands; ``expected`` and ``found`` are put beside each other; ``remedy`` says
    what to do about it.
    """

    def __init__(self, what: str, *, expected: object = None, found: object = None, remedy: str = "") -> None:
        self.what = what
        self.expected = expected
        self.found = found
        self.remedy = remedy
        super().__init__(_sentence(what, expected, found, remedy))


class UnknownName(UsageError, LookupError):
    """A name that nobody defined, with the nearest names that somebody did."""

    def __init__(self, *, kind: str, name: str, known: Iterable[str], where: str = "") -> None:
        self.kind = kind
        self.name = name
        self.known = tuple(known)
        self.where = where
        place = f" in {where}" if where else ""
        near = difflib.get_close_matches(name, self.known, n=3, cutoff=0.5)
        if near:
            remedy = f"did you mean {' or '.join(near)}?"
        elif self.known:
            remedy = f"known: {', '.join(self.known[:12])}{', ...' if len(self.known) > 12 else ''}"
        else:
            remedy = f"no {kind} is defined{place}"
        super().__init__(f"no {kind} {name!r}{place}", remedy=remedy)


class DefinitionError(C2kitError):
    """A definition that cannot be right.

    Its text begins with ``file:line:column``, the form that editors and terminals turn into a link. ``others`` is what
    else was found wrong at the same time; its text follows, a line each.
    """

    def __init__(
        self,
        what: str,
        *,
        source: Source | None,
        expected: object = None,
        found: object = None,
        remedy: str = "",
        others: Sequence[DefinitionError] = (),
    ) -> None:
        self.what = what
        self.source = source
        self.expected = expected
        self.found = found
        self.remedy = remedy
        self.others = tuple(others)
        sentence = _sentence(what, expected, found, remedy)
        lines = [f"{source}: {sentence}" if source is not None else sentence, *map(str, self.others[:_MOST_SHOWN])]
        if len(self.others) > _MOST_SHOWN:
            lines.append(f"... and {len(self.others) - _MOST_SHOWN} more")
        super().__init__("\n".join(lines))

    @classmethod
    def of_many(cls, problems: Iterable[DefinitionError]) -> DefinitionError:
        """One error that tells all of these, at least one, each once and in the order of their files."""
        every = [single for problem in problems for single in (_with_others(problem, ()), *problem.others)]
        first, *others = sorted({str(single): single for single in every}.values(), key=_place)
        return _with_others(first, others)


def _with_others(error: DefinitionError, others: Sequence[DefinitionError]) -> DefinitionError:
    return DefinitionError(
        error.what,
        source=error.source,
        expected=error.expected,
        found=error.found,
        remedy=error.remedy,
        others=others,
    )


def _place(error: DefinitionError) -> tuple[str, int, int]:
    source = error.source
    return (source.file, source.line, source.column) if source is not None else ("", 0, 0)


class ArgumentFault(UsageError):
    """What is wrong with one argument of a command; raised only inside a :class:`CommandRefused`."""

    def __init__(
        self, argument: str, what: str, *, expected: object = None, found: object = None, remedy: str = ""
    ) -> None:
        self.argument = argument
        super().__init__(f"{argument}: {what}", expected=expected, found=found, remedy=remedy)


class CommandRefused(C2kitError, ValueError):
    """A command that was not encoded. ``faults`` has one entry for *every* bad argument, not only the first."""

    def __init__(self, *, target: str, command: str, faults: Sequence[ArgumentFault]) -> None:
        self.target = target
        self.command = command
        self.faults = tuple(faults)
        lines = "".join(f"\n  {fault}" for fault in self.faults)
        super().__init__(f"command {target} {command} was refused:{lines}")


class MessageError(C2kitError):
    """A record or file that claims to be ours and is not: what it is, expected, found."""

    def __init__(self, what: str, *, expected: object = None, found: object = None, remedy: str = "") -> None:
        self.what = what
        self.expected = expected
        self.found = found
        self.remedy = remedy
        super().__init__(_sentence(what, expected, found, remedy))
