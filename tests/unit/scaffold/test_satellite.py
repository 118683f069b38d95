from __future__ import annotations

from attrs import evolve

from c2kit.scaffold.satellite import simulated
from c2kit.sim import DICTIONARY_DIRECTORY
from tests.missions import one_satellite
from tests.scaffolding import everything


def test_interfaces_that_connect_to_the_satellite_can_have_a_simulated_one() -> None:
    assert [stage.name for stage in simulated(one_satellite().describe())] == ["fep"]
    assert [stage.name for stage in simulated(everything())] == ["client", "named"]


def test_one_that_is_defined_otherwise_cannot_be_flown() -> None:
    description = one_satellite().describe()
    assert simulated(evolve(description, dictionary_hashes={"FIREFLY": "0" * 64})) == ()


def test_where_the_simulators_definitions_are_is_no_secret_to_the_scaffold() -> None:
    """It reads the files and not the module, which is none of its foundations."""
    assert (DICTIONARY_DIRECTORY / "firefly-commands.yaml").is_file()
    assert DICTIONARY_DIRECTORY.parent.name == "sim"
