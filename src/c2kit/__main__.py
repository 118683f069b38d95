"""``python -m c2kit``: the command line where there are no scripts, such as in a container."""

from __future__ import annotations

from c2kit.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    main()
