"""A changed dictionary is rolled out on a real broker, one replica after the other: old and new ones run at once."""

from __future__ import annotations

import contextlib
import socket
import urllib.error
import urllib.request
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

from c2kit.batches import TelemetryBatch
from c2kit.bus import open_bus
from c2kit.bus.records import Event, unpack
from c2kit.dictionaries import Dictionary
from c2kit.pipeline.provisioning import provisioning_of
from tests.integration.scaling import SCRIPT, Feeder, end, logged, mission_on, packets_in, shares, stage
from tests.kafka_brokers import emptied, wait_for
from tests.missions import EXAMPLE, wire_of
from tests.reading import all_of

if TYPE_CHECKING:
    from pathlib import Path

    from c2kit.bus import StreamBus
    from c2kit.pipeline.composition.mission import Mission
    from dev.kafka import Cluster

pytestmark = pytest.mark.slow


def changed_script(folder: Path) -> Path:
    """The same mission, of which an item has another unit."""
    dictionary = folder / "dictionary"
    dictionary.mkdir()
    for file in EXAMPLE.glob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        (dictionary / file.name).write_text(text.replace("units: V", "units: mV"), encoding="utf-8")
    script = folder / "changed_mission.py"
    loaded = 'Path(__file__).parents[2] / "examples/dictionary"'
    text = SCRIPT.read_text(encoding="utf-8")
    assert loaded in text
    script.write_text(text.replace(loaded, 'Path(__file__).parent / "dictionary"'), encoding="utf-8")
    return script


def readiness(port: int) -> tuple[int, str]:
    """What /readyz says; 0 where nobody answers yet."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def by_definitions(bus: StreamBus, mission: Mission) -> dict[str, int]:
    """How many samples there are, by the hash of the definitions that they name."""
    wire = wire_of(bus, mission)
    found: dict[str, int] = defaultdict(int)
    for record in all_of(bus, "scaled.telemetry.swarm"):
        batch = wire.read(record.value)
        assert isinstance(batch, TelemetryBatch)
        found[batch.dictionary_hash] += len(batch)
    return found


def test_a_changed_dictionary_is_waited_for_and_then_old_and_new_replicas_run_at_once(
    one_broker: Cluster, tmp_path: Path
) -> None:
    emptied(one_broker)
    script, port = changed_script(tmp_path), free_port()
    old = mission_on(one_broker)
    new = mission_on(one_broker, Dictionary.load(tmp_path / "dictionary"))
    old_hash, new_hash = (each.dictionary["FIREFLY"].hash for each in (old, new))
    provisioning_of(old).apply()
    environment = {"C2KIT_BUS": old.bus, "C2KIT_DIR_LOG": str(tmp_path / "log")}
    with open_bus(old.bus) as bus, contextlib.ExitStack() as running:
        log = running.enter_context(stage("log", tmp_path, environment))
        replicas = [running.enter_context(stage("decom", tmp_path, environment, ordinal)) for ordinal in range(2)]
        wait_for(lambda: shares(one_broker, "scaled.decom"), lambda found: found == [2, 2])
        feeder = running.enter_context(Feeder(bus, old))
        wait_for(lambda: by_definitions(bus, old), lambda found: found[old_hash] > 0)
        end(replicas[1])
        rolled = environment | {"C2KIT_HTTP": f"127.0.0.1:{port}"}
        replicas[1] = running.enter_context(stage("decom", tmp_path, rolled, 1, script))
        code, told = wait_for(lambda: readiness(port), lambda answer: answer[0] != 0)
        code, told = wait_for(lambda: readiness(port), lambda answer: "FIREFLY" in answer[1])
        assert code == 503
        assert "c2kit streams apply" in told
        assert new_hash in told
        wait_for(lambda: shares(one_broker, "scaled.decom"), lambda found: found == [4])
        provisioning_of(new).apply()
        wait_for(lambda: readiness(port)[0], lambda code: code == 200)
        wait_for(lambda: shares(one_broker, "scaled.decom"), lambda found: found == [2, 2])
        before = by_definitions(bus, new)
        wait_for(
            lambda: by_definitions(bus, new),
            lambda found: all(found[each] > before[each] for each in (old_hash, new_hash)),
        )
        end(replicas[0])
        replicas[0] = running.enter_context(stage("decom", tmp_path, environment, 0, script))
        wait_for(lambda: shares(one_broker, "scaled.decom"), lambda found: found == [2, 2])
        feeder.stop()
        wait_for(lambda: sum(map(len, logged(tmp_path / "log").values())), lambda count: count >= feeder.count)
        for process in (*replicas, log):
            end(process)
        assert logged(tmp_path / "log") == feeder.sent
        assert packets_in(bus, old) == feeder.sent
        assert sum(by_definitions(bus, new).values()) == feeder.count
        events = [unpack(Event, record.value) for record in all_of(bus, "scaled.events.decom")]
        assert not [event for event in events if event.kind in {"sequence", "dead-letter"}]
