"""Each partition has one replica that keeps it, and a change of their number loses and repeats nothing."""

from __future__ import annotations

import shutil
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from c2kit.bus import BusUnavailable, Position, open_bus
from c2kit.errors import UsageError
from c2kit.pipeline.composition.description import StreamDescription
from c2kit.pipeline.sinks.tenures import Tenure, share_of
from tests.missions import prepared, run_until_idle
from tests.sinking import STREAM, Replicas, finish

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["memory", "sqlite"])
def replicas(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Replicas]:
    with open_bus("memory:" if request.param == "memory" else f"sqlite:{tmp_path / 'bus.db'}") as bus:
        made = Replicas(bus, tmp_path / "disks")
        prepared(bus, made.mission)
        yield made


def stream(name: str, partitions: int = 1) -> StreamDescription:
    return StreamDescription(
        name=name,
        kind="packets",
        scope=name,
        writers=("decom",),
        readers=("log",),
        lanes=(),
        partitions=partitions,
        is_shared=True,
        is_telemetry=True,
        compacted=False,
    )


class TestShares:
    @pytest.mark.parametrize("replicas", [1, 2, 3, 7])
    def test_every_partition_is_in_one(self, replicas: int) -> None:
        streams = [stream("m.packets.swarm", 16), *(stream(f"m.packets.SAT-{number}") for number in range(20))]
        shares = [list(share_of(streams, ordinal, replicas)) for ordinal in range(replicas)]
        counts = Counter(partition for share in shares for partition in share)
        assert set(counts.values()) == {1}
        assert len(counts) == 36

    def test_those_of_one_stream_are_shared_evenly(self) -> None:
        for replicas in (2, 4, 8):
            shares = [list(share_of([stream("m.packets.swarm", 16)], ordinal, replicas)) for ordinal in range(replicas)]
            assert {len(share) for share in shares} == {16 // replicas}

    def test_one_more_stream_moves_no_partition(self) -> None:
        before = [stream(f"m.packets.SAT-{number}", 3) for number in range(1, 5)]
        after = [stream("m.packets.A"), *before, stream("m.packets.Z", 2)]
        for ordinal in range(3):
            assert set(share_of(before, ordinal, 3)) <= set(share_of(after, ordinal, 3))


def test_a_tenure_is_read_as_it_was_written() -> None:
    begin, end = Position("m.in", "uuid", 3, 7), Position("m.in", "uuid", 3, 19)
    for tenure in (
        Tenure(ordinal=1, replicas=2),
        Tenure(ordinal=0, replicas=3, begin=begin),
        Tenure(ordinal=0, replicas=3, begin=begin, end=end),
    ):
        assert Tenure.unpacked(tenure.packed()) == tenure


class TestChanges:
    def test_after_a_good_end_each_begins_where_another_ended(self, replicas: Replicas) -> None:
        for count in (2, 3, 1, 3):
            replicas.publish()
            stages = replicas.start_all(count)
            for stage in stages:
                run_until_idle(stage)
            replicas.publish()
            finish(*stages)
            assert replicas.logged() == replicas.sent, count
        owners = {str(path.parent.parent.name) for path in replicas.folder.glob(f"*/{STREAM}/*")}
        assert owners == {"disk-0", "disk-1", "disk-2"}

    def test_what_another_keeps_still_is_not_begun(self, replicas: Replicas) -> None:
        replicas.publish()
        first, second = replicas.start_all(2)
        finish(first)
        second.close()  # as if its process had died
        streams = [each for each in replicas.mission.describe().streams if each.name == STREAM]
        kept = set(share_of(streams, 1, 2))
        for ordinal in range(3):
            wants = set(share_of(streams, ordinal, 3))
            if not wants & kept:
                replicas.start(ordinal, 3).close()
                continue
            what = rf"replica {ordinal} of 3 is to go on with {STREAM}\[.*found replica 1 of 2, which has not"
            with pytest.raises(UsageError, match=what):
                replicas.start(ordinal, 3, disk=f"new-{ordinal}")
            assert not (replicas.folder / f"new-{ordinal}").exists()
        finish(replicas.start(1, 2))
        finish(*replicas.start_all(3))
        assert replicas.logged() == replicas.sent

    def test_where_somebody_says_where_to_go_on_it_is_begun_there(self, replicas: Replicas) -> None:
        replicas.publish()
        (lost,) = replicas.start_all(1)
        run_until_idle(lost)
        lost.close()
        shutil.rmtree(replicas.folder)
        (info,) = replicas.bus.streams(STREAM)
        chosen = [Position(STREAM, info.uuid, number, info.next_offsets[number]) for number in range(6)]
        for ordinal in range(2):
            finish(replicas.start(ordinal, 2, resume_from=chosen))
        assert not any(replicas.logged().values())

    def test_one_that_ends_badly_goes_on_with_its_own(self, replicas: Replicas) -> None:
        replicas.publish()
        first, second = replicas.start_all(2)
        run_until_idle(second)
        second.close()
        replicas.publish()
        finish(first, replicas.start(1, 2))
        assert replicas.logged() == replicas.sent

    def test_where_it_was_taken_over_is_known_though_it_dies_before_it_has_kept_anything(
        self, replicas: Replicas
    ) -> None:
        replicas.publish()
        finish(*replicas.start_all(2))
        for stage in replicas.start_all(3):
            stage.close()  # nothing was logged by any of them
        replicas.publish()
        finish(*replicas.start_all(3))
        assert replicas.logged() == replicas.sent

    def test_nothing_more_is_read_after_the_end_was_told(self, replicas: Replicas) -> None:
        replicas.publish()
        (stage,) = replicas.start_all(1)
        run_until_idle(stage)
        stage.drain()
        replicas.publish()
        run_until_idle(stage)
        stage.close()
        finish(*replicas.start_all(2))
        assert replicas.logged() == replicas.sent

    def test_an_end_that_the_bus_does_not_take_was_not_told(
        self, replicas: Replicas, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        replicas.publish()
        (stage,) = replicas.start_all(1)
        run_until_idle(stage)
        with monkeypatch.context() as patched:
            patched.setattr(replicas.bus, "worker", _unavailable)
            with pytest.raises(BusUnavailable):
                stage.drain()
        stage.close()
        with pytest.raises(UsageError, match="replica 0 of 1, which has not"):
            replicas.start_all(2)
        finish(*replicas.start_all(1))
        finish(*replicas.start_all(2))
        assert replicas.logged() == replicas.sent


def _unavailable(*_: object, **__: object) -> None:
    raise BusUnavailable("not now")
