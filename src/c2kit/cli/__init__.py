"""The command line: what people do with recordings and dictionaries, each command a thin layer over the public API.

What each stream carries: stdout the result and nothing else, stderr what is said about it. Bytes that are wrong in a
recording are counted and change no exit code; what a person got wrong is one message on stderr and never a traceback.

Modules here import nothing that is heavy before a command runs, so that ``c2kit --help`` answers at once.
"""

from __future__ import annotations

from c2kit.cli.app import main

__all__ = ["main"]
