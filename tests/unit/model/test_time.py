"""The epochs that have a name, held against the calendar."""

from datetime import UTC, datetime

import pytest

from c2kit.model.time import EPOCHS, GPS, J2000, TAI1958, UNIX, UTC1958, Epoch, Scale


@pytest.mark.parametrize(
    ("epoch", "reading", "scale"),
    [
        (UNIX, datetime(1970, 1, 1, tzinfo=UTC), Scale.UTC),
        (GPS, datetime(1980, 1, 6, 0, 0, 19, tzinfo=UTC), Scale.TAI),
        (TAI1958, datetime(1958, 1, 1, tzinfo=UTC), Scale.TAI),
        (UTC1958, datetime(1958, 1, 1, tzinfo=UTC), Scale.UTC),
        (J2000, datetime(2000, 1, 1, 11, 59, 27, 816_000, tzinfo=UTC), Scale.TAI),  # TT is 32.184 s ahead of TAI
    ],
)
def test_an_epoch_is_the_reading_of_its_own_clock(epoch: Epoch, reading: datetime, scale: Scale) -> None:
    since = reading - datetime(1970, 1, 1, tzinfo=UTC)
    assert epoch.posix_ns == (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1000
    assert epoch.scale is scale


def test_epochs_are_found_by_name() -> None:
    assert sorted(EPOCHS) == ["gps", "j2000", "tai", "unix", "utc-1958"]
    assert all(EPOCHS[name].name == name for name in EPOCHS)
