"""Command and telemetry pipelines for spacecraft ground systems, composed in one Python script."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    __version__: str
else:  # hidden from type checkers, for which it would make every misspelt name a string

    def __getattr__(name: str) -> str:
        # Looking up the metadata costs milliseconds, and most programs never ask for the version.
        if name == "__version__":
            from importlib.metadata import version  # noqa: PLC0415 - see above

            return version("c2kit")
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
