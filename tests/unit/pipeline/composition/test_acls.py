"""Permissions are enough for the work of each identity, and let nobody touch what is another's."""

from __future__ import annotations

import json
import shlex
import subprocess
from itertools import permutations
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c2kit.bus.naming import group_of, state_name
from c2kit.errors import UsageError
from c2kit.links import TcpClient
from c2kit.pipeline.composition.acls import Acl, Operation, Permissions, Resource, as_commands, as_json, permissions_of
from c2kit.pipeline.composition.mission import Mission
from c2kit.pipeline.composition.names import COMMAND_SOURCE, OBSERVER, PROVISIONER
from c2kit.pipeline.composition.parts import PacketLogger
from c2kit.processors import CommandEncoder, Decommutator, Identifier
from c2kit.protocols import CcsdsPackets
from tests.missions import example_dictionary

if TYPE_CHECKING:
    from pathlib import Path

    from c2kit.pipeline.composition.description import MissionDescription

DATA = {Resource.TOPIC: Operation.READ, Resource.GROUP: Operation.READ, Resource.TRANSACTIONAL_ID: Operation.WRITE}


def allowed(permissions: Permissions, resource: Resource, name: str, operation: Operation) -> bool:
    """What a broker's authorizer says: Apache Kafka, "Authorization and ACLs", patterns and implied operations."""
    implies = {operation}
    if operation is Operation.DESCRIBE:
        implies |= {Operation.READ, Operation.WRITE}
    return any(
        acl.resource is resource
        and acl.operation in implies
        and (name.startswith(acl.name) if acl.is_prefix else name == acl.name)
        for acl in permissions.acls
    )


def mission(decom: str = "decom", other: str = "decom-2", log: str = "log", encode: str = "encode") -> Mission:
    made = Mission("m", dictionary=example_dictionary())
    for interface, target in (("fep", "FIREFLY"), ("antenna", "ANTENNA")):
        link = TcpClient("localhost", 7011)
        made.interface(interface, link, protocols=[CcsdsPackets()], targets=[target], raw_log=f"var/raw-{interface}")
    made.stage(decom, Identifier(), Decommutator(), targets=["FIREFLY"])
    made.stage(other, Identifier(), Decommutator(), targets=["ANTENNA"])
    made.stage(log, PacketLogger("var/log"))
    made.stage(encode, CommandEncoder())
    return made


def by_stage(description: MissionDescription) -> dict[str, Permissions]:
    found = {each.identity: each for each in permissions_of(description)}
    return {identity.rpartition(".")[2]: each for identity, each in found.items()}


def assert_nobody_can_touch_what_is_anothers(description: MissionDescription) -> None:
    permissions = by_stage(description)
    for mine, theirs in permutations(description.stages, 2):
        what = permissions[mine.name], mine.name, theirs.name
        for stream in theirs.writes:
            assert not allowed(what[0], Resource.TOPIC, stream, Operation.WRITE), what
        for operation in (Operation.READ, Operation.WRITE):
            assert not allowed(what[0], Resource.TOPIC, state_name(theirs.identity), operation), what
        assert not allowed(what[0], Resource.GROUP, group_of(theirs.identity), Operation.READ), what
        for ordinal in (0, 1, 12, -1):
            transactional_id = f"{theirs.identity}.{ordinal}"
            for operation in (Operation.WRITE, Operation.DESCRIBE):
                assert not allowed(what[0], Resource.TRANSACTIONAL_ID, transactional_id, operation), what


def test_each_stage_can_do_its_work() -> None:
    description = mission().describe()
    permissions = by_stage(description)
    for stage in description.stages:
        mine = permissions[stage.name]
        for stream in stage.reads:
            assert allowed(mine, Resource.TOPIC, stream, Operation.READ)
        for stream in stage.writes:
            assert allowed(mine, Resource.TOPIC, stream, Operation.WRITE)
        assert allowed(mine, Resource.TRANSACTIONAL_ID, f"{stage.identity}.0", Operation.WRITE)
        assert allowed(mine, Resource.TOPIC, state_name(stage.identity), Operation.DESCRIBE)
        assert allowed(mine, Resource.TOPIC, "m.streams", Operation.READ)
    for name in ("fep", "decom", "decom-2", "encode"):
        for operation in (Operation.READ, Operation.WRITE):
            assert allowed(permissions[name], Resource.TOPIC, f"m.state.{name}", operation)
        assert allowed(permissions[name], Resource.GROUP, f"m.{name}", Operation.READ)


def test_what_one_stage_may_do_is_this_and_nothing_else() -> None:
    topic, read, write = Resource.TOPIC, Operation.READ, Operation.WRITE
    streams = {
        "m.streams": read,
        "m.dictionaries": read,
        "m.schemas": read,
        "m.frames.fep": read,
        "m.packets.FIREFLY": write,
        "m.telemetry.FIREFLY": write,
        "m.unknown.fep": write,
        "m.events.decom": write,
        "m.dead-letter.decom": write,
    }
    assert set(by_stage(mission().describe())["decom"].acls) == {
        *(Acl(resource=topic, name=name, operation=operation) for name, operation in streams.items()),
        Acl(resource=topic, name="m.state.decom", operation=read),
        Acl(resource=topic, name="m.state.decom", operation=write),
        Acl(resource=Resource.GROUP, name="m.decom", operation=read),
        Acl(resource=Resource.GROUP, name="c2kit.none", operation=Operation.DESCRIBE),
        Acl(resource=Resource.TRANSACTIONAL_ID, name="m.decom.", operation=write, is_prefix=True),
    }


def test_a_stage_is_not_its_neighbour_whose_name_goes_on() -> None:
    assert_nobody_can_touch_what_is_anothers(mission("decom", "decom-2").describe())


def test_a_replay_and_what_is_live_are_apart() -> None:
    live, replay = mission().describe(), mission().describe(replay="night")
    assert_nobody_can_touch_what_is_anothers(replay)
    permissions = by_stage(live)
    for stage in replay.stages:
        if stage.role != PROVISIONER:
            for each in permissions.values():
                if each.role not in {PROVISIONER, OBSERVER}:
                    assert not allowed(each, Resource.TRANSACTIONAL_ID, f"{stage.identity}.0", Operation.WRITE)
                    assert not allowed(each, Resource.GROUP, stage.identity, Operation.READ)
                    assert not any(allowed(each, Resource.TOPIC, name, Operation.WRITE) for name in stage.writes)
    replaying = by_stage(replay)
    for stage in live.stages:
        for each in replaying.values():
            if each.identity != stage.identity:
                assert not allowed(each, Resource.TRANSACTIONAL_ID, f"{stage.identity}.0", Operation.WRITE)
                assert not any(allowed(each, Resource.TOPIC, name, Operation.WRITE) for name in stage.writes)


def test_two_hundred_stages() -> None:
    made = mission()
    for number in range(200):
        made.stage(f"log-{number}", PacketLogger(f"var/log-{number}"), targets=["FIREFLY"])
    description = made.describe()
    assert len(by_stage(description)) > 200
    assert_nobody_can_touch_what_is_anothers(description)


NAMES = st.lists(st.text("aA2-", max_size=4).map("d".__add__), min_size=4, max_size=4, unique_by=str.lower)


@given(NAMES)
@settings(max_examples=40)
def test_whatever_stages_are_called_nobody_can_touch_what_is_anothers(names: list[str]) -> None:
    assert_nobody_can_touch_what_is_anothers(mission(*names).describe())


def test_who_commands_reads_what_becomes_of_commands_and_writes_no_other_stream() -> None:
    description = mission().describe()
    mine = by_stage(description)[COMMAND_SOURCE]
    for stream in description.streams:
        is_status = stream.kind == "command-status"
        assert allowed(mine, Resource.TOPIC, stream.name, Operation.READ) == is_status, stream.name
        writes = stream.writers == (COMMAND_SOURCE,)
        assert allowed(mine, Resource.TOPIC, stream.name, Operation.WRITE) == writes, stream.name


def test_who_provisions_creates_all_topics_and_reads_nothing_but_definitions() -> None:
    description = mission().describe()
    mine = by_stage(description)[PROVISIONER]
    names = [stream.name for stream in description.streams] + ["m.state.decom", "m.streams"]
    for name in names:
        for operation in (Operation.CREATE, Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS):
            assert allowed(mine, Resource.TOPIC, name, operation)
        is_its_own = name in {"m.streams", "m.dictionaries", "m.schemas"}
        for operation in (Operation.READ, Operation.WRITE):
            assert allowed(mine, Resource.TOPIC, name, operation) == is_its_own
    assert not allowed(mine, Resource.TOPIC, "m.frames.other", Operation.CREATE)
    assert allowed(mine, Resource.CLUSTER, "kafka-cluster", Operation.DESCRIBE_CONFIGS)
    assert not allowed(mine, Resource.CLUSTER, "kafka-cluster", Operation.CREATE)


def test_who_looks_sees_all_streams_and_how_far_all_are_and_changes_nothing() -> None:
    description = mission().describe()
    mine = by_stage(description)[OBSERVER]
    assert all(allowed(mine, Resource.TOPIC, stream.name, Operation.READ) for stream in description.streams)
    assert not allowed(mine, Resource.TOPIC, "m.state.decom", Operation.DESCRIBE)
    for stage in ("decom", "log", "encode", "fep", "fep-raw-log"):
        assert allowed(mine, Resource.GROUP, f"m.{stage}", Operation.DESCRIBE)
    assert {acl.operation for acl in mine.acls} == {Operation.READ, Operation.DESCRIBE}
    assert {
        acl.name for acl in mine.acls if acl.resource is Resource.GROUP and acl.operation is Operation.READ
    } == set()


def test_only_transactional_ids_have_patterns_and_they_end_in_a_dot() -> None:
    for each in permissions_of(mission().describe()):
        for acl in each.acls:
            assert acl.is_prefix == (acl.resource is Resource.TRANSACTIONAL_ID)
            assert not acl.is_prefix or acl.name == f"{each.identity}."


def test_the_script_is_one_that_a_shell_runs_and_grants_exactly_this(tmp_path: Path) -> None:
    description = mission().describe()
    tool = tmp_path / "kafka-acls"
    tool.write_text(
        f'#!/bin/sh\nfor each in "$@"; do printf "%s\\n" "$each"; done >> {tmp_path}/said\necho >> {tmp_path}/said\n'
    )
    tool.chmod(0o755)
    script = as_commands(permissions_of(description), "User:CN={identity},O=c2kit")
    subprocess.run(
        ["/bin/sh", "-s", "--", "--bootstrap-server", "b:9092"],
        input=script,
        text=True,
        check=True,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
    )
    granted = set()
    for said in (tmp_path / "said").read_text().strip().split("\n\n"):
        granted |= granted_by(said.split("\n"))
    assert granted == {
        (f"User:CN={each.identity},O=c2kit", acl.resource, acl.name, acl.operation, acl.is_prefix)
        for each in permissions_of(description)
        for acl in each.acls
    }


def granted_by(words: list[str]) -> set[tuple[str, str, str, str, bool]]:
    """What Kafka's own tool would do."""
    assert words[:3] == ["--bootstrap-server", "b:9092", "--add"]
    rest, principal, pattern = iter(words[3:]), "", "literal"
    operations, resources = [], []
    for word in rest:
        match word:
            case "--allow-principal":
                principal = next(rest)
            case "--operation":
                operations.append(next(rest))
            case "--resource-pattern-type":
                pattern = next(rest)
            case "--cluster":
                resources.append(("cluster", "kafka-cluster"))
            case _:
                resources.append((word.removeprefix("--"), next(rest)))
    return {
        (principal, resource, name, operation, pattern == "prefixed")
        for resource, name in resources
        for operation in operations
    }


def test_a_principal_with_spaces_is_one_word() -> None:
    script = as_commands(permissions_of(mission().describe()), "User:CN={identity}, O=c2kit")
    words = shlex.split(next(line for line in script.splitlines() if line.startswith("kafka-acls")))
    assert words[:4] == ["kafka-acls", "$@", "--add", "--allow-principal"]
    assert words[4] == "User:CN=m.antenna, O=c2kit"


def test_programs_get_all_of_it() -> None:
    told = json.loads(as_json(permissions_of(mission().describe())))
    decom = next(each for each in told if each["identity"] == "m.decom")
    assert (decom["principal"], decom["role"]) == ("User:m.decom", "stage")
    assert {
        "resource": "transactional-id",
        "name": "m.decom.",
        "operation": "Write",
        "is_prefix": True,
    } in decom["acls"]


@pytest.mark.parametrize("template", ["firefly", "User:firefly", "{identity}"])
def test_a_principal_that_is_the_same_for_all_is_refused(template: str) -> None:
    with pytest.raises(UsageError, match="the principal of an identity"):
        as_json(permissions_of(mission().describe()), template)
