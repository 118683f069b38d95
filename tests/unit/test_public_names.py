"""What `import c2kit` offers: pinned here, so that a name neither comes nor goes unnoticed."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import c2kit

PUBLIC = [
    "ArrowStream",
    "Burst",
    "C2kitError",
    "CcsdsPackets",
    "Chain",
    "Column",
    "CommandEncoder",
    "CommandRefused",
    "CommandSource",
    "Crc",
    "Decommutator",
    "DefinitionError",
    "Dictionary",
    "Discarded",
    "File",
    "Fixed",
    "Identifier",
    "Interface",
    "LengthField",
    "LimitsMonitor",
    "Mission",
    "PacketBatch",
    "PacketLogger",
    "RawLogger",
    "RecordingDecoder",
    "Resources",
    "Scale",
    "Serial",
    "Sync",
    "TcpClient",
    "TcpServer",
    "TelemetryBatch",
    "TelemetrySchema",
    "Terminated",
    "Udp",
    "UdpListener",
    "UnknownName",
    "UsageError",
]


def imported_for_type_checkers() -> dict[str, str]:
    """Each public name with the module that type checkers take it from."""
    tree = ast.parse(Path(c2kit.__file__).read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    return {name.name: str(node.module) for node in imports for name in node.names if name.name in PUBLIC}


def test_the_public_names_are_these_and_sorted() -> None:
    assert c2kit.__all__ == PUBLIC == sorted(PUBLIC)


def test_a_module_can_be_asked_what_it_offers() -> None:
    assert {*PUBLIC, "__version__"} <= set(dir(c2kit))


def test_type_checkers_see_every_public_name() -> None:
    assert sorted(imported_for_type_checkers()) == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_a_name_is_at_run_time_what_type_checkers_take_it_for(name: str) -> None:
    home = importlib.import_module(imported_for_type_checkers()[name])
    assert getattr(c2kit, name) is getattr(home, name)


def test_importing_all_names_at_once_works() -> None:
    script = "from c2kit import *; print(Dictionary.__name__, UsageError.__name__)"
    run = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert run.stdout.split() == ["Dictionary", "UsageError"]


def test_errors_are_there_without_numpy() -> None:
    script = "import sys, c2kit; c2kit.UsageError('x'); c2kit.__version__; print('numpy' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert run.stdout.split() == ["False"]
