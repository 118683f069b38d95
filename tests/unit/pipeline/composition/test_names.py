"""What names may be, and how streams and stages are named after them."""

from __future__ import annotations

import pytest

from c2kit.batches.kinds import Kind, Scope
from c2kit.errors import UsageError
from c2kit.pipeline.composition.names import (
    check_name,
    check_stage_name,
    kind_and_scope,
    replay_prefix,
    stage_identity,
    stream_name,
)


def test_streams_are_named_by_mission_kind_and_scope() -> None:
    assert stream_name("firefly", Kind.PACKETS, "FIREFLY") == "firefly.packets.FIREFLY"
    assert stream_name("firefly", Kind.EVENTS, "decom") == "firefly.events.decom"


def test_streams_of_a_replay_have_names_of_their_own_but_definitions_are_the_same() -> None:
    prefix = replay_prefix("night")
    assert stream_name("firefly", Kind.FRAMES, "fep", prefix=prefix) == "firefly.replay.night.frames.fep"
    assert stream_name("firefly", Kind.DICTIONARIES, prefix=prefix) == "firefly.dictionaries"
    assert stage_identity("firefly", "decom", prefix=prefix) == "firefly.replay.night.decom"


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("prefix", ["", "replay.night.", "replay.replay."])
def test_what_a_stream_is_named_after_is_found_in_its_name(kind: Kind, prefix: str) -> None:
    scope = "" if kind.scope is Scope.MISSION else "replay"
    assert kind_and_scope(stream_name("replay", kind, scope, prefix=prefix)) == (kind, scope)


@pytest.mark.parametrize("name", ["firefly", "firefly.later.fep", "firefly.replay.night", "other"])
def test_a_kind_that_is_not_known_is_no_kind(name: str) -> None:
    assert kind_and_scope(name) is None


def test_what_is_live_has_no_prefix() -> None:
    assert replay_prefix(None) == ""
    assert stage_identity("firefly", "decom") == "firefly.decom"


@pytest.mark.parametrize("name", ["", ".", "a.b", "-a", "a b", "a/b", "..", "a" * 41, "a\n"])
def test_what_would_be_another_name_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="letters, digits and hyphens"):
        check_name("thing", name)
    with pytest.raises(UsageError, match="the name of a replay"):
        replay_prefix(name)


@pytest.mark.parametrize("name", ["provisioner", "command-source", "observer", "Replay"])
def test_stages_cannot_have_the_names_of_c2kits_own(name: str) -> None:
    with pytest.raises(UsageError, match=f"expected one that is not reserved, found '{name}'"):
        check_stage_name("stage", name)
    assert check_name("mission", name) == name
