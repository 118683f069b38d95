"""Where a definition was written, so that every complaint about it can say so."""

from __future__ import annotations

from attrs import frozen

__all__ = ["Source"]


@frozen
class Source:
    """A place in a definition file; ``line`` and ``column`` count from 1, 0 means unknown."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        parts = [self.file, *(str(number) for number in (self.line, self.column) if number)]
        return ":".join(parts)
