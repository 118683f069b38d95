"""Which bus a URL opens, and what is said of a URL that opens none."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from c2kit.bus import Record, Step, StreamSpec, open_bus
from c2kit.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

SPEC = StreamSpec(name="m.in", writer="source")


def test_memory_is_a_new_bus_each_time() -> None:
    with open_bus("memory:") as one, open_bus("memory:") as two:
        one.apply([SPEC])
        assert (one.url, len(one.streams()), len(two.streams())) == ("memory:", 1, 0)


def test_sqlite_is_the_bus_in_that_file(tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path}/var/bus.db"
    with open_bus(url) as bus:
        bus.apply([SPEC])
        assert bus.url == url
    with open_bus(url) as bus:
        assert [info.spec for info in bus.streams()] == [SPEC]
    assert (tmp_path / "var" / "bus.db").exists()


@pytest.mark.parametrize("kind", ["memory:", "sqlite:{}/bus.db"])
def test_settings_reach_the_bus(kind: str, tmp_path: Path) -> None:
    with open_bus(kind.format(tmp_path), max_stream_bytes=1000) as bus:
        bus.apply([SPEC])
        with bus.worker("source", (), outputs=("m.in",)) as source:
            for _ in range(8):
                source.commit(Step(publish=[Record("m.in", "lane", bytes(600))]))
        deadline = time.monotonic() + 30
        while bus.streams()[0].size_bytes > 1000:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    with pytest.raises(UsageError, match="no setting brokers, expected max_stream_bytes"):
        open_bus(kind.format(tmp_path), brokers=3)


@pytest.mark.parametrize("url", ["", "memory", "memory:x", "sqlite:", "var/bus.db", "http://bus"])
def test_what_is_no_url_of_a_bus_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="not the URL of a bus, expected memory:, sqlite:PATH, or kafka:HOST:PORT"):
        open_bus(url)


def test_a_cluster_is_opened_without_asking_it() -> None:
    with open_bus("kafka:nowhere.invalid:9092,nowhere.invalid:9093") as bus:
        assert bus.url == "kafka:nowhere.invalid:9092,nowhere.invalid:9093"
        assert not bus.is_embedded
    with pytest.raises(UsageError, match="no setting max_stream_bytes, expected none"):
        open_bus("kafka:nowhere.invalid:9092", max_stream_bytes=1)


def test_secrets_that_are_wrong_are_told_by_their_files_when_a_cluster_is_opened(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"{tmp_path}.*none of these files"):
        open_bus("kafka:nowhere.invalid:9092", secrets=tmp_path)
    with open_bus("memory:", secrets=tmp_path) as bus:
        assert bus.streams() == []


@pytest.mark.parametrize("url", ["kafka:", "kafka:broker", "kafka:a:1,b", "kafka://a:1", "kafka:user:secret@a:1"])
def test_what_is_no_list_of_brokers_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="not the URL of a Kafka cluster, expected kafka:HOST:PORT"):
        open_bus(url)


def test_a_bus_without_its_library_tells_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("c2kit.bus.kafka")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    with pytest.raises(UsageError, match=r"pip install 'c2kit\[kafka\]'"):
        open_bus("kafka:broker:9092")


def test_importing_the_contract_brings_no_implementation() -> None:
    heavy = {"sqlite3", "numpy", "confluent_kafka", "c2kit.bus.memory", "c2kit.bus.sqlite"}
    # What is there before is not the contract's: where coverage is measured, that brings sqlite3.
    script = f"import sys; before = {{*sys.modules}}; import c2kit.bus; print({heavy} & {{*sys.modules}} - before)"
    run = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert run.stdout.strip() == "set()"
