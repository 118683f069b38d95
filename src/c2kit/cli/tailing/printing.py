"""Lines on stdout: with colours on a terminal, and plain in a pipe or a file."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from c2kit.cli.terminal import console

if TYPE_CHECKING:
    from collections.abc import Iterable

    Line = tuple[tuple[str, str], ...]
    """Pieces of text, each with its style."""

__all__ = ["Printer"]


class Printer:
    """Prints lines at once, so that who reads a pipe sees what has come."""

    def __init__(self) -> None:
        self._console = console(sys.stdout)

    def print(self, lines: Iterable[Line]) -> None:
        """Print lines, whole ones: a terminal wraps them as it likes."""
        if self._console.is_terminal:
            text = self._coloured(lines)
            encoding = sys.stdout.encoding or "utf-8"
            sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        else:
            text = "".join("".join(piece for piece, _ in line) + "\n" for line in lines)
            sys.stdout.buffer.write(text.encode())
        sys.stdout.flush()

    def _coloured(self, lines: Iterable[Line]) -> str:
        from rich.text import Text

        with self._console.capture() as captured:
            for line in lines:
                self._console.print(Text.assemble(*line), soft_wrap=True)
        return captured.get()
