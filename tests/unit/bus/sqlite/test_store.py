"""The file of a bus, as somebody may handle it who does not know that it is in use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from c2kit.bus import BusError, BusUnavailable, Record, Step, StreamSpec
from c2kit.bus.sqlite import SqliteBus

if TYPE_CHECKING:
    from collections.abc import Callable

FRAMES = StreamSpec(name="m.frames.fep", writer="m.fep", consumers=("m.decom",), lanes=("fep",))


def _removed(file: Path) -> None:
    for path in file.parent.glob(f"{file.name}*"):
        if path.is_file():
            path.unlink()


def _replaced(file: Path) -> None:
    _removed(file)
    SqliteBus(file).close()


@pytest.mark.parametrize("handle", [_removed, _replaced])
def test_a_bus_whose_file_others_do_not_find_any_more_takes_nothing(
    tmp_path: Path, handle: Callable[[Path], None]
) -> None:
    file = tmp_path / "bus.db"
    bus = SqliteBus(file)
    bus.apply([FRAMES])
    with bus.worker("m.fep", [], outputs=[FRAMES.name]) as worker:
        step = Step(publish=[Record(FRAMES.name, "fep", b"1")])
        worker.commit(step)
        handle(file)
        with pytest.raises(BusError, match=r"bus\.db was removed or replaced while it was in use") as told:
            worker.commit(step)
        assert not isinstance(told.value, BusUnavailable), "nobody is to wait for it"
        with pytest.raises(BusError, match="removed or replaced"):
            bus.streams()
    bus.close()


def test_a_program_may_go_to_another_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    with SqliteBus(Path("bus.db")) as bus:
        monkeypatch.chdir("elsewhere")
        bus.apply([FRAMES])
        assert [info.spec.name for info in bus.streams()] == [FRAMES.name]


@pytest.mark.parametrize("handle", [_removed, _replaced])
def test_who_only_waits_is_told_too(tmp_path: Path, handle: Callable[[Path], None]) -> None:
    file = tmp_path / "bus.db"
    bus = SqliteBus(file)
    bus.apply([FRAMES])
    with bus.view([FRAMES.name]) as view, bus.worker("m.decom", [FRAMES.name]) as worker:
        worker.receive(0)
        handle(file)
        for waiting in (view, worker):
            with pytest.raises(BusError, match="removed or replaced"):
                waiting.receive(60)
    bus.close()
