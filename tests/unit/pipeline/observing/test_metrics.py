"""What is exposed is read back by the parsers of prometheus-client, and compared with what was put in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import prometheus_client
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

import c2kit
from c2kit.bus import BusUnavailable, Record, Step, Tally
from c2kit.bus.memory import MemoryBus
from c2kit.bus.records import Fate
from c2kit.dictionaries import Dictionary
from c2kit.links import TcpClient
from c2kit.links.values import Counters, LinkState, State
from c2kit.pipeline.composition.mission import Mission
from c2kit.pipeline.composition.parts import PacketLogger
from c2kit.pipeline.composition.streams import specs_of
from c2kit.pipeline.observing.ledger import ByteRow, EdgeRow, LedgerRow
from c2kit.pipeline.observing.metrics import Metrics, Sources
from c2kit.pipeline.observing.steps import StepMeter
from c2kit.pipeline.observing.table import GROUPS, BusErrorRow, CommandRow, DeadLetterRow, LinkRow, MetricType, TallyRow
from c2kit.processors import Decommutator, Identifier
from c2kit.protocols import CcsdsPackets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c2kit.bus import StreamInfo

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
COLUMNS = [(group, column) for group in GROUPS for column in group.columns]

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def small_mission() -> Mission:
    mission = Mission("firefly", dictionary=Dictionary.load(ROOT / "examples" / "dictionary"))
    mission.interface("fep", TcpClient("localhost", 7011), protocols=[CcsdsPackets()], targets=["FIREFLY"])
    mission.stage("decom", Identifier(), Decommutator())
    mission.stage("log", PacketLogger("var/log"))
    return mission


DESCRIPTION = small_mission().describe()


def metrics_of(sources: Sources, *stages: str) -> Metrics:
    chosen = [stage for stage in DESCRIPTION.stages if stage.name in (stages or ("decom", "fep", "log"))]
    return Metrics(sources, DESCRIPTION, chosen)


def samples(metrics: Metrics) -> Samples:
    """Give all samples of c2kit, by name and labels; none may come twice."""
    found: Samples = {}
    for family in parse_text(metrics.exposition()[0].decode()):
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in found
            found[key] = sample.value
    return {key: value for key, value in found.items() if key[0].startswith("c2kit_")}


def about(found: Samples, prefix: str) -> Samples:
    return {key: value for key, value in found.items() if key[0].startswith(prefix)}


def labels(**facts: str) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(facts.items()))


class TestValues:
    def test_a_process_tells_what_it_is(self) -> None:
        found = samples(metrics_of(Sources(), "decom"))
        version = labels(version=c2kit.__version__, mission="firefly")
        assert found["c2kit_process_info", version] == 1
        assert about(found, "c2kit_stage_info") == {("c2kit_stage_info", labels(stage="decom", role="stage")): 1}

    def test_the_ledger_is_told_by_stage_processor_and_partition(self) -> None:
        row = LedgerRow(
            stage="decom", processor="Identifier", partition="s[0]", taken=100, given=50, refused=20, merged=10, held=5
        )
        found = about(samples(metrics_of(Sources(ledger=lambda: [row]))), "c2kit_processor_")
        where = labels(stage="decom", processor="Identifier", partition="s[0]")
        numbers = {name.removeprefix("c2kit_processor_"): value for (name, at), value in found.items() if at == where}
        assert numbers == {
            "taken_total": 100,
            "given_total": 50,
            "refused_total": 20,
            "merged_total": 10,
            "held": 5,
            "unaccounted": 15,
        }
        assert len(found) == len(numbers)

    def test_bytes_and_edges_tell_what_does_not_add_up(self) -> None:
        sources = Sources(
            bytes=lambda: [ByteRow(interface="fep", received=100, framed=60, discarded=30, held=3)],
            edges=lambda: [EdgeRow(stream="s", consumer="log", published=10, consumed=4, lag=5)],
        )
        found = samples(metrics_of(sources))
        assert about(found, "c2kit_interface_") == {
            ("c2kit_interface_received_bytes_total", labels(interface="fep")): 100,
            ("c2kit_interface_framed_bytes_total", labels(interface="fep")): 60,
            ("c2kit_interface_discarded_bytes_total", labels(interface="fep")): 30,
            ("c2kit_interface_held_bytes", labels(interface="fep")): 3,
            ("c2kit_interface_unaccounted_bytes", labels(interface="fep")): 7,
        }
        where = labels(stream="s", consumer="log")
        assert about(found, "c2kit_stream_") == {
            ("c2kit_stream_consumed_records_total", where): 4,
            ("c2kit_stream_unaccounted_records", where): 1,
        }

    def test_steps_are_a_histogram_whose_buckets_are_cumulated(self) -> None:
        meter = StepMeter("decom")
        for seconds in (0.0005, 0.002, 0.002, 60.0):
            meter.add(seconds, committed_ns=1_500_000_000)
        found = samples(metrics_of(Sources(steps=lambda: [meter, StepMeter("log")])))
        buckets = {
            dict(at)["le"]: value
            for (name, at), value in found.items()
            if ("stage", "decom") in at and "le" in dict(at)
        }
        assert buckets == {
            "0.001": 1, "0.005": 3, "0.025": 3, "0.1": 3, "0.5": 3, "2.5": 3, "10.0": 3, "+Inf": 4
        }  # fmt: skip
        assert found["c2kit_step_seconds_count", labels(stage="decom")] == 4
        assert found["c2kit_step_seconds_sum", labels(stage="decom")] == pytest.approx(60.0045)
        assert about(found, "c2kit_stage_last_commit") == {
            ("c2kit_stage_last_commit_timestamp_seconds", labels(stage="decom")): 1.5
        }

    def test_a_link_is_in_one_state_and_has_its_counters(self) -> None:
        counters = Counters(
            received_bytes=1, sent_bytes=2, last_received=3_500_000_000, connects=4, errors=5, lost_datagrams=6
        )
        state = LinkState(State.CONNECTED, "to somebody", 0, connections=2)
        silent = LinkRow(interface="other", state=LinkState(State.DOWN, "", 0), counters=Counters())
        sources = Sources(links=lambda: [LinkRow(interface="fep", state=state, counters=counters, frames=7), silent])
        found = about(samples(metrics_of(sources)), "c2kit_link_")
        states = {
            dict(at)["state"]: value
            for (name, at), value in found.items()
            if name == "c2kit_link_state" and ("interface", "fep") in at
        }
        assert states == {"connecting": 0, "connected": 1, "down": 0, "disabled": 0}
        where = labels(interface="fep")
        numbers = {name.removeprefix("c2kit_link_"): value for (name, at), value in found.items() if at == where}
        assert numbers == {
            "connections": 2,
            "received_bytes_total": 1,
            "received_frames_total": 7,
            "sent_bytes_total": 2,
            "connects_total": 4,
            "errors_total": 5,
            "lost_datagrams_total": 6,
            "last_received_timestamp_seconds": 3.5,
        }
        assert ("c2kit_link_last_received_timestamp_seconds", labels(interface="other")) not in found

    def test_fates_and_dead_letters_are_told_by_stage(self) -> None:
        sources = Sources(
            commands=lambda: [CommandRow(stage="fep", fate=fate, count=number) for number, fate in enumerate(Fate)],
            dead_letters=lambda: [DeadLetterRow(stage="decom", count=9)],
        )
        found = samples(metrics_of(sources))
        assert {dict(at)["fate"]: value for (_, at), value in about(found, "c2kit_commands").items()} == {
            str(fate): number for number, fate in enumerate(Fate)
        }
        assert about(found, "c2kit_dead") == {("c2kit_dead_letters_total", labels(stage="decom")): 9}

    def test_they_are_read_anew_at_each_scrape(self) -> None:
        row = DeadLetterRow(stage="decom", count=1)
        rows = [row]
        metrics = metrics_of(Sources(dead_letters=lambda: rows))
        assert list(about(samples(metrics), "c2kit_dead").values()) == [1]
        rows[:] = [DeadLetterRow(stage="decom", count=2)]
        assert list(about(samples(metrics), "c2kit_dead").values()) == [2]


class TestStreams:
    @pytest.fixture
    def bus(self) -> Iterator[MemoryBus]:
        with MemoryBus() as opened:
            opened.apply(specs_of(DESCRIPTION))
            yield opened

    def test_a_stream_tells_what_was_published_and_what_waits_for_whom(self, bus: MemoryBus) -> None:
        frames = "firefly.frames.fep"
        with bus.worker("firefly.fep", [], outputs=[frames]) as worker:
            for _ in range(3):
                worker.commit(Step(publish=[Record(frames, "fep", b"12345")]))
        with bus.worker("firefly.decom", [frames], outputs=[]) as worker:
            first = worker.receive(10, max_bytes=1).records[0]
            worker.commit(Step(passed={(frames, first.partition): first.offset + 1}))
        found = samples(metrics_of(Sources(streams=bus.streams)))
        assert found["c2kit_stream_published_records_total", labels(stream=frames)] == 3
        assert found["c2kit_stream_retained_bytes", labels(stream=frames)] > 0
        lags = {
            key[1]: value for key, value in about(found, "c2kit_stream_lag").items() if ("stream", frames) in key[1]
        }
        assert lags == {labels(stream=frames, consumer="decom"): 2}

    def test_streams_that_no_stage_here_has_to_do_with_are_left_out(self, bus: MemoryBus) -> None:
        found = samples(metrics_of(Sources(streams=bus.streams), "log"))
        streams = {dict(at)["stream"] for (_, at) in about(found, "c2kit_stream_")}
        stage = DESCRIPTION.stage("log")
        assert streams == {*stage.reads, *stage.writes}
        assert "firefly.frames.fep" not in streams


class TestBus:
    def test_what_befell_a_stage_there_is_counted_by_stage_and_errors_by_name(self) -> None:
        tally = Tally(commits=7, aborts=1, rebalances=2, fencings=3)
        row, error = TallyRow(stage="decom", tally=tally, rebuilt=4), BusErrorRow(error="_TRANSPORT", count=5)
        found = samples(metrics_of(Sources(tallies=lambda: [row], bus_errors=lambda: [error])))
        told = {name: value for (name, at), value in found.items() if at == labels(stage="decom")}
        assert told == {
            "c2kit_bus_commits_total": 7,
            "c2kit_bus_aborts_total": 1,
            "c2kit_bus_rebalances_total": 2,
            "c2kit_bus_fencings_total": 3,
            "c2kit_stage_rebuilds_total": 4,
        }
        assert found["c2kit_bus_errors_total", labels(error="_TRANSPORT")] == 5


class TestTrouble:
    def test_a_source_that_fails_takes_only_its_own_metrics_away(self, caplog: pytest.LogCaptureFixture) -> None:
        def away() -> list[StreamInfo]:
            raise BusUnavailable("the disk is full")

        sources = Sources(streams=away, dead_letters=lambda: [DeadLetterRow(stage="decom", count=1)])
        found = samples(metrics_of(sources))
        failed = {dict(at)["source"]: value for (_, at), value in about(found, "c2kit_metrics_source_failed").items()}
        assert failed.pop("streams") == 1
        assert set(failed.values()) == {0}
        assert len(about(found, "c2kit_dead")) == 1
        assert not about(found, "c2kit_stream_")
        assert "the disk is full" in caplog.text

    @pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb", "ä{}=,"])
    def test_any_name_comes_through_as_it_is(self, name: str) -> None:
        found = samples(metrics_of(Sources(dead_letters=lambda: [DeadLetterRow(stage=name, count=1)])))
        assert about(found, "c2kit_dead") == {("c2kit_dead_letters_total", labels(stage=name)): 1}


class TestForm:
    def test_whoever_accepts_openmetrics_gets_it(self) -> None:
        metrics = metrics_of(Sources(dead_letters=lambda: [DeadLetterRow(stage="decom", count=1)]))
        text, content_type = metrics.exposition("application/openmetrics-text; version=1.0.0, text/plain;q=0.5")
        assert content_type.startswith("application/openmetrics-text")
        families = {family.name: family for family in parse_openmetrics(text.decode())}  # type: ignore[no-untyped-call]
        assert families["c2kit_dead_letters"].samples[0].value == 1
        assert metrics.exposition("*/*")[1].startswith("text/plain")

    def test_the_process_is_measured_too_and_the_registry_of_the_library_is_left_alone(self) -> None:
        before = {family.name for family in prometheus_client.REGISTRY.collect()}
        metrics = metrics_of(Sources())
        assert "process_cpu_seconds" in metrics.exposition()[0].decode()
        assert {family.name for family in prometheus_client.REGISTRY.collect()} == before
        assert metrics_of(Sources()).registry is not metrics.registry

    def test_making_them_asks_no_source(self) -> None:
        def never() -> list[DeadLetterRow]:
            raise AssertionError

        metrics_of(Sources(dead_letters=never))

    @pytest.mark.parametrize(("name", "kind"), [(column.name, column.type) for _, column in COLUMNS])
    def test_names_follow_the_conventions(self, name: str, kind: MetricType) -> None:
        assert re.fullmatch(r"c2kit(_[a-z]+)+", name)
        assert name.endswith("_total") == (kind is MetricType.COUNTER)
        assert not re.search(r"milli|micro|nano|kilo|count$|_ns$", name)
        if "timestamp" in name:
            assert name.endswith("_timestamp_seconds")

    def test_a_metric_stands_in_one_group(self) -> None:
        names = [column.name for _, column in COLUMNS]
        assert len(names) == len(set(names))

    def test_every_metric_is_exposed_even_before_it_has_a_value(self) -> None:
        text = metrics_of(Sources()).exposition()[0].decode()
        assert {column.name for _, column in COLUMNS} == set(re.findall(r"^# TYPE (c2kit_\w+)", text, re.MULTILINE))


def test_the_reference_page_is_the_table() -> None:
    rows = [(column.name, column.type, group.labels, column.text) for group, column in COLUMNS]
    told = re.findall(r"^\| `(c2kit_\w+)` \| (\w+) \| (.*?) \| (.*?) \|$", PAGE, re.MULTILINE)
    assert [(name, kind, tuple(re.findall(r"`(\w+)`", at)), text) for name, kind, at, text in told] == rows
