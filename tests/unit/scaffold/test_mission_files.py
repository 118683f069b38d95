from __future__ import annotations

import compileall
from pathlib import Path

import pytest

from c2kit.errors import UsageError
from c2kit.scaffold.lock import hash_of
from c2kit.scaffold.mission_files import MissionFiles, put_by_hand
from tests.missions import EXAMPLE

EXAMPLES = Path(__file__).parents[3] / "examples"
SCRIPT = """
import csv
from typing import TYPE_CHECKING

from c2kit import CcsdsPackets, Dictionary, Mission, TcpClient
import tuning
from ground.station import NAME

if TYPE_CHECKING:
    import hypothesis

mission = Mission("firefly", dictionary=Dictionary.load("defs/"))
mission.interface(NAME, TcpClient("localhost", tuning.PORT), protocols=[CcsdsPackets()], targets=["FIREFLY"])
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A mission with modules of its own, a table, things that are not used, and a place where things are installed."""
    texts = {
        "mission.py": SCRIPT,
        "tuning.py": "from pathlib import Path\nPORT = int(Path(__file__).with_name('port.txt').read_text())\n",
        "port.txt": "7011\n",
        "unused.txt": "7012\n",
        "unused.py": "",
        "ground/__init__.py": "",
        "ground/station.py": "from . import names\nNAME = names.NAME\ndef late() -> None:\n    import crc\n",
        "ground/names.py": "NAME = 'fep'\n",
        "ground/later.py": "import not_installed_anywhere, bitstruct.c\n",
        "ground/notes.txt": "",
        ".venv/lib/python3/site-packages/there.py": "",
    }
    for name, text in texts.items():
        path = tmp_path / "mission" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "mission/defs").symlink_to(EXAMPLE.resolve())
    return tmp_path / "mission"


def test_an_image_has_the_script_its_modules_and_what_they_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = MissionFiles.of(folder / "mission.py")
    dictionary = {f"defs/{path.name}": path.read_bytes() for path in EXAMPLE.iterdir()}
    own = ["ground/__init__.py", "ground/later.py", "ground/names.py", "ground/station.py", "mission.py", "port.txt"]
    assert found.files == dictionary | {name: (folder / name).read_bytes() for name in [*own, "tuning.py"]}
    assert list(found.files) == sorted(found.files)
    assert found.outside == ()
    assert found.distributions == ("bitstruct", "crc"), "those that its modules import, also late, but not for types"

    # Where one is does not matter, nor whether there is bytecode beside the modules, which Python opens instead.
    compileall.compile_dir(folder, quiet=2)
    monkeypatch.chdir(folder / "ground")
    assert MissionFiles.of(Path("../mission.py")) == found


def test_what_is_read_from_elsewhere_is_told(folder: Path) -> None:
    shared, module = folder.parent / "shared.csv", folder.parent / "lib/elsewhere.py"
    shared.write_text("a,b\n")
    module.parent.mkdir()
    module.write_text("")
    with (folder / "mission.py").open("a") as script:
        script.write(f"open({str(shared)!r}).close()\n")
        script.write(f"import sys\nsys.path.append({str(module.parent)!r})\nimport elsewhere\n")
        script.write("open('/etc/hostname').close()\nopen('written.txt', 'w').close()\n")
    found = MissionFiles.of(folder / "mission.py", also=["unused.txt", "ground"])
    assert found.outside == (str(module), str(shared))
    assert not {"written.txt", "hostname"} & set(found.files)
    assert {"ground/notes.txt", "unused.txt"} < set(found.files), "what is read later must be named"


@pytest.mark.parametrize("name", ["absent.txt", "../shared.csv", "/etc/hostname"])
def test_what_is_not_in_the_folder_cannot_be_named(folder: Path, name: str) -> None:
    (folder.parent / "shared.csv").write_text("")
    with pytest.raises(UsageError, match=r"a file of the mission, expected .* by its path from there"):
        MissionFiles.of(folder / "mission.py", also=[name])


def test_a_script_that_fails_is_told(folder: Path) -> None:
    (folder / "mission.py").write_text("1 / 0\n")
    with pytest.raises(UsageError, match=r"mission\.py:1: the script fails: ZeroDivisionError"):
        MissionFiles.of(folder / "mission.py")


def test_the_example_needs_itself_and_its_dictionary() -> None:
    found = MissionFiles.of(EXAMPLES / "04_mission.py")
    assert set(found.files) == {"mission.py", *(f"dictionary/{path.name}" for path in EXAMPLE.iterdir())}
    assert found.files["mission.py"] == (EXAMPLES / "04_mission.py").read_bytes()
    assert found.distributions == found.outside == ()


def test_another_file_with_the_name_that_scripts_have_in_images_is_refused(folder: Path) -> None:
    (folder / "mission.py").rename(folder / "firefly.py")
    (folder / "mission.py").write_text("")
    with pytest.raises(UsageError, match=r"mission\.py, which firefly\.py reads.*rename it"):
        MissionFiles.of(folder / "firefly.py", also=["mission.py"])


def test_what_is_as_it_was_generated_was_not_put_there_by_hand(tmp_path: Path) -> None:
    assert put_by_hand(tmp_path / "nowhere", {}) == {}
    (tmp_path / "defs").mkdir()
    for name in ("generated", "edited", "defs/mine"):
        (tmp_path / name).write_bytes(name.encode())
    known = {"generated": hash_of(b"generated"), "edited": hash_of(b"before"), "gone": hash_of(b"gone")}
    assert put_by_hand(tmp_path, known) == {"edited": b"edited", "defs/mine": b"defs/mine"}
    (tmp_path / "defs/link").symlink_to(tmp_path / "generated")
    with pytest.raises(UsageError, match=r"defs/link, which images are made of, found a link; put a copy there"):
        put_by_hand(tmp_path, known)
