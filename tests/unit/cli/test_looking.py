"""`--bus` and `--mission`: what is meant, what is missing, and that looking makes nothing."""

from pathlib import Path

import pytest

from c2kit.bus import BusUnavailable, open_bus
from c2kit.cli.looking import looking
from c2kit.errors import UnknownName, UsageError
from c2kit.pipeline.composition.mission import Mission
from c2kit.pipeline.composition.streams import specs_of
from tests.looking import bus_at
from tests.missions import example_dictionary, prepared
from tests.unit.cli.conftest import Run


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("C2KIT_BUS", raising=False)
    monkeypatch.delenv("C2KIT_MISSION", raising=False)


@pytest.fixture
def two(tmp_path: Path) -> str:
    """A bus with two missions."""
    url = bus_at(tmp_path / "bus.db")
    other = Mission("raw", dictionary=example_dictionary())
    with open_bus(url) as bus:
        bus.apply(specs_of(other.describe()))
    return url


def test_the_only_mission_there_is_meant(tmp_path: Path) -> None:
    url = bus_at(tmp_path / "bus.db")
    with looking(url, None) as look:
        assert look.mission == "firefly"
        assert {look.shown(each.spec.name) for each in look.streams()} >= {"frames.fep", "schemas"}
        assert [target.hash for target in look.targets()] == [each.hash for each in example_dictionary().targets]


def test_the_environment_says_what_the_options_do_not(two: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("C2KIT_BUS", two)
    monkeypatch.setenv("C2KIT_MISSION", "firefly")
    with looking(None, None) as look:
        assert (look.bus.url, look.mission) == (two, "firefly")
    monkeypatch.setenv("C2KIT_MISSION", "neither")
    with looking(two, "firefly") as look:
        assert look.mission == "firefly"


def test_which_of_several_missions_must_be_said(two: str) -> None:
    with pytest.raises(UsageError, match=r"several missions .*found firefly, raw; .*--mission"), looking(two, None):
        pass
    with pytest.raises(UnknownName, match=r"no mission 'fierfly' .*did you mean firefly"), looking(two, "fierfly"):
        pass


def test_streams_of_another_mission_are_not_seen(two: str) -> None:
    with looking(two, "firefly") as look:
        assert all(each.spec.name.startswith("firefly.") for each in look.streams())


def test_what_is_not_there_is_not_made(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "var" / "bus.db"
    result = run("tail", "events.*", "--bus", f"sqlite:{path}")
    assert (result.exit_code, result.stderr.startswith(f"Error: there is no bus at {path};")) == (3, True)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_file_is_no_bus_and_stays_empty(tmp_path: Path) -> None:
    path = tmp_path / "bus.db"
    path.touch()
    with pytest.raises(BusUnavailable, match="there is no bus at"), looking(f"sqlite:{path}", None):
        pass
    assert [(each.name, each.stat().st_size) for each in tmp_path.iterdir()] == [("bus.db", 0)]


def test_a_bus_without_a_mission_is_told(tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path / 'bus.db'}"
    open_bus(url).close()
    with pytest.raises(BusUnavailable, match="no mission on bus"), looking(url, "firefly"):
        pass


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (None, "--bus URL, or set C2KIT_BUS"),
        ("memory:", "no other can look at it"),
        ("var/bus.db", "not the URL of a bus"),
        ("sqlite:", "not the URL of a bus"),
    ],
)
def test_what_cannot_be_looked_at_is_refused(url: str | None, told: str) -> None:
    with pytest.raises(UsageError, match=told), looking(url, None):
        pass


def test_the_definitions_of_older_missions_come_before_those_of_newer_ones(tmp_path: Path) -> None:
    url = bus_at(tmp_path / "bus.db")
    (antenna, *_) = example_dictionary().targets
    newer = type(example_dictionary())((type(antenna)(name="NEWER", packets=antenna.packets),))
    with open_bus(url) as bus:
        prepared(bus, Mission("firefly", dictionary=newer))
    with looking(url, None) as look:
        assert look.targets()[-1].name == "NEWER"
