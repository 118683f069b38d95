"""The states of limits are what batches carry."""

from c2kit.model.limits import Limits, LimitState


def test_codes_never_change() -> None:
    # They stand in logs and archives.
    assert {state.name: state.value for state in LimitState} == {
        "GREEN": 0,
        "YELLOW_LOW": 1,
        "YELLOW_HIGH": 2,
        "RED_LOW": 3,
        "RED_HIGH": 4,
        "NO_VALUE": 5,
    }


def test_every_bound_is_optional() -> None:
    limits = Limits()
    assert (limits.red_low, limits.yellow_low, limits.yellow_high, limits.red_high) == (None,) * 4
