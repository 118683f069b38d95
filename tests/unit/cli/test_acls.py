"""`c2kit acls`: the same permissions as a table, as a script and as JSON."""

import json
from pathlib import Path

from tests.unit.cli.conftest import Run

SCRIPT = Path(__file__).parents[3] / "examples" / "04_mission.py"


def test_people_see_what_each_may_do(run: Run) -> None:
    lines = [line.split() for line in run("acls", SCRIPT).stdout.splitlines()]
    assert lines[0] == ["principal", "resource", "name", "operations"]
    assert ["User:firefly.decom", "topic", "firefly.state.decom", "Read,", "Write"] in lines
    assert ["User:firefly.decom", "transactional-id", "firefly.decom.*", "Write"] in lines
    assert ["User:firefly.observer", "group", "firefly.decom", "Describe"] in lines


def test_programs_see_the_same(run: Run) -> None:
    told = json.loads(run("acls", SCRIPT, "--format", "json", "--principal", "User:CN={identity}").stdout)
    assert {each["principal"] for each in told} >= {"User:CN=firefly.decom", "User:CN=firefly.command-source"}
    table = run("acls", SCRIPT).stdout.splitlines()
    assert len({(each["identity"], acl["resource"], acl["name"]) for each in told for acl in each["acls"]}) == (
        len([line for line in table if line.startswith("User:")])
    )


def test_a_shell_is_given_commands(run: Run) -> None:
    script = run("acls", SCRIPT, "--format", "kafka-acls").stdout
    assert script.startswith("#!/bin/sh\n")
    assert (
        'kafka-acls "$@" --add --allow-principal User:firefly.decom --operation Write '
        "--resource-pattern-type prefixed --transactional-id firefly.decom.\n"
    ) in script


def test_a_replay_has_its_own(run: Run) -> None:
    assert "firefly.replay.night.decom" in run("acls", SCRIPT, "--replay", "night").stdout


def test_a_principal_that_is_the_same_for_all_is_refused(run: Run) -> None:
    result = run("acls", SCRIPT, "--principal", "User:x")
    assert result.exit_code == 2
    assert "the principal of an identity" in result.stderr
