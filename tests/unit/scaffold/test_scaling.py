"""How KEDA proves to Kafka who it is: with every kind of cluster, and always by TLS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from c2kit.scaffold.documents import objects_in
from c2kit.scaffold.rendering import Templates
from c2kit.scaffold.scaling import access_of, authentication
from c2kit.scaffold.settings import ExternalKafka, KafkaAuthentication, KafkaKind, KafkaSettings
from tests.scaffolding import everything, everything_settings, planned, planned_everything

if TYPE_CHECKING:
    from typing import Any

    from c2kit.scaffold.plan import Plan


def parameters(plan: Plan) -> dict[str, tuple[str, str]]:
    """Where each parameter comes from: the name of an object, and a key in it."""
    found = list(objects_in(authentication(plan, Templates()), "scaler.yaml"))
    references = [each for of in found[0]["spec"].values() for each in of]
    return {each["parameter"]: (each["name"], each["key"]) for each in references}


def external(**told: Any) -> Plan:  # noqa: ANN401 - any setting
    kafka = ExternalKafka(bootstrap=("b1:9094",), namespace="brokers", **told)
    settings = evolve(everything_settings(), kafka=KafkaSettings(kind=KafkaKind.EXTERNAL, external=kafka))
    return planned(everything(), settings)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (
            planned_everything,
            {
                "ca": ("kafka-cluster-ca-cert", "ca.crt"),
                "cert": ("scaler", "user.crt"),
                "key": ("scaler", "user.key"),
            },
        ),
        (
            lambda: external(secret="of-{stage}"),  # noqa: S106 - the name of one
            {"ca": ("kafka-ca", "ca.crt"), "cert": ("of-scaler", "tls.crt"), "key": ("of-scaler", "tls.key")},
        ),
        (
            lambda: external(authentication=KafkaAuthentication.SCRAM),
            {"ca": ("kafka-ca", "ca.crt"), "username": ("scaler", "username"), "password": ("scaler", "password")},
        ),
        (
            lambda: external(authentication=KafkaAuthentication.SCRAM, cluster="shared"),
            {"ca": ("kafka-ca", "ca.crt"), "username": ("scaler", "username"), "password": ("scaler", "password")},
        ),
    ],
)
def test_every_parameter_comes_from_what_there_is(make: Any, expected: dict[str, tuple[str, str]]) -> None:  # noqa: ANN401
    assert parameters(make()) == expected


def test_the_name_of_a_user_of_strimzis_is_in_no_secret() -> None:
    plan = external(authentication=KafkaAuthentication.SCRAM, cluster="shared")
    found = list(objects_in(authentication(plan, Templates()), "scaler.yaml"))
    assert [each["kind"] for each in found] == ["TriggerAuthentication", "ConfigMap"]
    assert found[1]["data"] == {"username": "all-of-it-scaler"}


def test_a_trigger_always_speaks_tls() -> None:
    assert access_of(planned_everything()) == {"tls": "enable", "sasl": "none"}
    scram = external(authentication=KafkaAuthentication.SCRAM)
    assert access_of(scram) == {"tls": "enable", "sasl": "scram_sha512"}
