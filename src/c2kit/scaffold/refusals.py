"""What cannot be deployed: settings that nothing belongs to, or that are missing, and names that would become one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit.errors import UnknownName, UsageError
from c2kit.scaffold.names import OPERATORS_OWN, SCALER
from c2kit.scaffold.settings import KafkaKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from c2kit.pipeline.composition.description import MissionDescription, StageDescription
    from c2kit.scaffold.plan import Identity
    from c2kit.scaffold.settings import ExternalKafka, Settings

__all__ = ["check_labels", "check_settings"]


def check_settings(description: MissionDescription, settings: Settings) -> None:
    """Raise UsageError unless the settings are those of this mission, and all that it cannot do without."""
    names = [stage.name for stage in description.stages]
    _check_known("links", settings.links, [stage.name for stage in description.stages if stage.link is not None])
    _check_known("storage.stages", settings.storage.stages, names)
    for stage in description.stages:
        _check_stores(stage, settings)
        _check_callers(stage, names)
    if settings.kafka.kind is KafkaKind.EXTERNAL:
        _check_external(settings.kafka.external)


def check_labels(identities: Iterable[Identity]) -> None:
    """Raise UsageError for names that become the same one, or that of something else in the namespace."""
    taken: dict[str, str] = {}
    for identity in identities:
        if identity.label in OPERATORS_OWN and identity.role != SCALER:
            raise UsageError(
                f"the name of {identity.name} ({identity.defined_at})",
                expected="one that nothing else has in the namespace",
                found=identity.label,
                remedy="give it another name",
            )
        other = taken.setdefault(identity.label, identity.name)
        if other != identity.name:
            raise UsageError(f"{other} and {identity.name} would both be {identity.label} in a cluster")


def _check_known(key: str, given: Iterable[str], known: Iterable[str]) -> None:
    for name in given:
        if name not in known:
            raise UnknownName(kind=f"{key} of settings.yaml", name=name, known=known, where="the mission")


def _check_stores(stage: StageDescription, settings: Settings) -> None:
    for store in stage.stores:
        told = settings.stores.get(store)
        if told is None or not told.address or not (told.namespace or told.cidrs):
            raise UsageError(
                f"store {store} of {stage.name} ({stage.defined_at})",
                expected=f"stores.{store} in settings.yaml, with address, and namespace or cidrs",
                remedy="say where the database is and which secret has its credentials",
            )


def _check_callers(stage: StageDescription, names: Iterable[str]) -> None:
    for port in stage.ports:
        for caller in port.callers:
            if caller not in names:
                raise UnknownName(kind="stage", name=caller, known=names, where=f"port {port.name} of {stage.name}")


def _check_external(kafka: ExternalKafka) -> None:
    if not kafka.bootstrap:
        what = "kafka.external.bootstrap in settings.yaml"
        raise UsageError(what, expected="host:port of some brokers", found="none")
    if not (kafka.namespace or kafka.cidrs):
        raise UsageError(
            "where the brokers of kafka.external are",
            expected="kafka.external.namespace, or kafka.external.cidrs: policies of a cluster do not know names",
            found="neither, in settings.yaml",
        )
