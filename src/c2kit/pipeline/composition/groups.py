"""Which stream a record belongs to, and in which lane of it: the one place that knows of groups.

Many small interfaces, and the targets behind them, share one stream of each kind: ``<mission>.<kind>.<group>``. The
key of a record is what it is without groups. What an interface *reads* (commands on their way to it, and whether its
link is to be up) stays its own: else each of a group would have to read what is for all others.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

from attrs import frozen

from c2kit.batches.kinds import Kind, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable

    from c2kit.pipeline.composition.mission import Mission

__all__ = ["Groups"]

_FOR_ONE_INTERFACE = frozenset({Kind.UPLINK, Kind.LINK_CONTROL})


@frozen
class Groups:
    """The groups of a mission. Where they are ``ignored``, every interface and target has streams of its own."""

    _mission: Mission
    are_ignored: bool = False

    @cached_property
    def _of_interfaces(self) -> dict[str, str]:
        """The group of each interface that is in one."""
        interfaces = {} if self.are_ignored else self._mission.interfaces
        return {name: spec.group for name, spec in interfaces.items() if spec.group is not None}

    @cached_property
    def _of_targets(self) -> dict[str, str]:
        """The group of each target that is behind interfaces of one."""
        interfaces = self._mission.interfaces
        return {target: group for name, group in self._of_interfaces.items() for target in interfaces[name].targets}

    @cached_property
    def _members(self) -> dict[str, list[str]]:
        """The interfaces of each group."""
        members: dict[str, list[str]] = defaultdict(list)
        for name, group in self._of_interfaces.items():
            members[group].append(name)
        return dict(members)

    @cached_property
    def _ways(self) -> dict[str, list[tuple[str, str]]]:
        """By target, or by the group that it is in: the interfaces and targets to which its streams belong."""
        ways: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for name, spec in self._mission.interfaces.items():
            for target in spec.targets:
                ways[self._of_targets.get(target, target)].append((name, target))
        return dict(ways)

    def scope(self, kind: Kind, name: str) -> str:
        """What the name of the stream ends with that has the records of this interface, target or stage."""
        if kind in _FOR_ONE_INTERFACE:
            return name
        groups = self._of_targets if kind.scope is Scope.TARGET else self._of_interfaces
        return groups.get(name, name)

    def is_shared(self, kind: Kind, scope: str) -> bool:
        """Whether it is a group's, which may get more lanes."""
        return kind not in _FOR_ONE_INTERFACE and scope in self._members

    def lanes(self, kind: Kind, scope: str, *, by_packet: bool = False) -> tuple[str, ...]:
        """The lanes of a stream: the interface before identification, interface and target after.

        With ``by_packet`` each of the target's packets has its own. Those of commands are targets, those of what a
        stage tells of itself are stages.
        """
        if kind.scope is Scope.MISSION:
            return ()
        if kind is Kind.COMMANDS:
            return tuple(dict.fromkeys(target for _, target in self._ways[scope]))
        if by_packet:
            named = ((name, self._mission.dictionary.target(target)) for name, target in self._ways[scope])
            return tuple(f"{name}/{target.name}/{packet.name}" for name, target in named for packet in target.packets)
        if kind.scope is Scope.TARGET:
            return tuple(f"{name}/{target}" for name, target in self._ways[scope])
        return tuple(self._members[scope]) if self.is_shared(kind, scope) else (scope,)

    def whole(self, targets: Iterable[str]) -> tuple[str, ...]:
        """These targets, and all others of their groups: what shares a stream is served by the same stage."""
        named = tuple(targets)
        groups = {self._of_targets[target] for target in named if target in self._of_targets}
        return tuple(dict.fromkeys((*named, *(each for each, group in self._of_targets.items() if group in groups))))
