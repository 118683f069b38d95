"""What all tests share: recorded data of real spacecraft, and how hard hypothesis looks."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from dev.kafka import Cluster
from tests.kafka_brokers import cluster_of

# How long an example takes depends on the machine, so that a deadline would only make tests flicker.
settings.register_profile("any", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("any"), max_examples=60, derandomize=True)
settings.register_profile("dev", settings.get_profile("any"), max_examples=100)
settings.register_profile("long", settings.get_profile("any"), max_examples=5_000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs recordings, so that `-m real_data` and `-m 'not real_data'` choose without more ado."""
    for item in items:
        if "real_data" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.real_data)


@pytest.fixture(scope="session")
def one_broker() -> Iterator[Cluster]:
    """Give a real Apache Kafka of one broker, which all tests of the session share."""
    with cluster_of(1) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder with recordings of real spacecraft, which are too large to be kept here."""
    return _folder("C2KIT_REAL_DATA", required=os.environ.get("C2KIT_REQUIRE_REAL_DATA") == "1")


def _folder(variable: str, *, required: bool) -> Path:
    """Give the folder that an environment variable names; skip where nobody named one, unless it is required."""
    value = os.environ.get(variable, "")
    folder = Path(value).expanduser().resolve()
    if value and folder.is_dir():
        return folder
    if value:
        pytest.fail(f"{variable} is set to {value!r}, which is not a folder: set it to the one with the recordings")
    if required:
        pytest.fail(f"{variable} is not set, and C2KIT_REQUIRE_REAL_DATA=1 says that this test must not be skipped")
    pytest.skip(f"{variable} is not set: this test decodes recordings that are not in the repository")
