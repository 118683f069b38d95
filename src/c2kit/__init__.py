"""Command and telemetry pipelines for spacecraft ground systems, composed in one Python script."""


def __getattr__(name: str) -> str:
    # Looking up the metadata costs milliseconds, and most programs never ask for the version.
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415

        return version("c2kit")
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
