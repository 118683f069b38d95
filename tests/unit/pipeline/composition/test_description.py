"""The values of a description."""

from __future__ import annotations

import pytest

from c2kit.errors import UsageError
from c2kit.pipeline.composition.description import Scale


def test_a_stage_has_one_replica_unless_told() -> None:
    assert (Scale().min, Scale().max) == (1, 1)


@pytest.mark.parametrize(
    ("told", "what"),
    [
        ({"min": 0}, "min"),
        ({"min": 2}, "max"),
        ({"min": 3, "max": 2}, "max"),
        ({"max": 0}, "max"),
        ({"lag": 0}, "lag"),
        ({"max": 1.5}, "max"),
        ({"min": True}, "min"),
    ],
)
def test_replicas_that_cannot_be_are_refused(told: dict[str, int], what: str) -> None:
    with pytest.raises(UsageError, match=f"{what} of a Scale"):
        Scale(**told)
