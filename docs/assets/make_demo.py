"""Makes the picture of the demo: runs it for a while, and keeps the last frame of its live table as `demo.svg`.

.venv/bin/python docs/assets/make_demo.py
"""

from __future__ import annotations

import io
import re
import tempfile
import threading
from pathlib import Path

from rich.console import Console, Group

from c2kit.cli.demonstration import Operator, prepared_demo
from c2kit.cli.running import status_table
from c2kit.pipeline.status import StatusMeter

SECONDS = 24.0
WIDTH = 118

with tempfile.TemporaryDirectory() as folder, prepared_demo(Path(folder)) as runner:
    operator = Operator(runner, None, is_plain=False)
    meter = StatusMeter(runner)
    with runner:
        operator.begin()
        ended = threading.Event()
        ended.wait(SECONDS - 2)
        meter.take()
        ended.wait(2)
        picture = Group(status_table("firefly", "sqlite:var/bus.db", meter.take()), operator.show())
        operator.end()
console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
console.print(picture)
svg = re.sub(
    r"@font-face \{.*?\}\n", "", console.export_svg(title="make demo"), flags=re.DOTALL
)  # no fonts from elsewhere
(Path(__file__).parent / "demo.svg").write_text(svg, encoding="utf-8")
