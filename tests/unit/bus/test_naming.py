"""Names that follow from an identity, and that no two identities share."""

from __future__ import annotations

from c2kit.bus.naming import catalogue_name, group_of, is_catalogue, state_name, transactional_prefix


def test_the_names_of_a_stage() -> None:
    assert state_name("firefly.decom") == "firefly.state.decom"
    assert state_name("firefly.replay.night.decom") == "firefly.replay.night.state.decom"
    assert group_of("firefly.decom") == "firefly.decom"
    assert catalogue_name("firefly") == "firefly.streams"


def test_a_catalogue_is_known_by_its_name() -> None:
    assert is_catalogue("firefly.streams")
    assert not any(map(is_catalogue, ("firefly.state.decom", "firefly.frames.streams", "streams", "firefly.streams.x")))


def test_no_transactional_id_of_a_stage_begins_as_those_of_another_whose_name_goes_on() -> None:
    for ordinal in (0, 17, -1):
        assert not f"{transactional_prefix('firefly.decom-2')}{ordinal}".startswith(
            transactional_prefix("firefly.decom")
        )
        assert f"firefly.decom.{ordinal}".startswith(transactional_prefix("firefly.decom"))
