"""Names of objects: valid where Kubernetes is strictest, the same each time, and never one for two."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2kit.pipeline.composition.names import check_name
from c2kit.scaffold.names import label, shared_user, topic_resource

NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9-]{0,39}", fullmatch=True)
SERVICE = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
"""RFC 1035, which names of services follow; what else needs a name allows more."""
SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


@given(NAMES)
def test_every_name_of_a_stage_becomes_one_of_a_service_with_room_behind_it(name: str) -> None:
    made = label(check_name("stage", name))
    assert SERVICE.fullmatch(made)
    assert len(made) <= 63 - len("-0123456789")


@given(st.lists(NAMES, unique_by=str.lower, max_size=30))
def test_names_that_differ_in_more_than_case_stay_different(names: list[str]) -> None:
    assert len({label(name) for name in names}) == len(names)


@pytest.mark.parametrize("name", ["decom", "DECOM", "decom-2", "a"])
def test_a_name_that_fits_is_kept_but_for_its_case(name: str) -> None:
    assert label(name) == name.lower()


@pytest.mark.parametrize("name", ["2nd", "trailing-", "0", "9--"])
def test_a_name_that_does_not_fit_is_still_read_in_what_becomes_of_it(name: str) -> None:
    assert name.lower().strip("-") in label(name)


@given(st.lists(st.tuples(NAMES, NAMES), unique_by=lambda parts: ".".join(parts).lower(), max_size=30))
def test_topics_become_names_of_objects_and_stay_different(names: list[tuple[str, str]]) -> None:
    made = [topic_resource(f"{mission}.frames.{scope}") for mission, scope in names]
    assert all(SUBDOMAIN.fullmatch(each) and len(each) <= 253 for each in made)
    assert len(set(made)) == len(names)


def test_a_user_of_a_shared_cluster_fits_into_the_subject_of_a_certificate_and_is_nobody_elses() -> None:
    assert shared_user("firefly", "decom") == "firefly-decom"
    one, other = (shared_user("m" * 49, f"{'s' * 48}{last}") for last in "ab")
    assert len(one) <= 64
    assert one != other
