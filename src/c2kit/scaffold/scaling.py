"""How KEDA, which says how many replicas there are, asks Kafka how many records wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit.scaffold import labels
from c2kit.scaffold.kafka_users import user_of
from c2kit.scaffold.names import SCALER
from c2kit.scaffold.pods import has_username, kafka_files

if TYPE_CHECKING:
    from c2kit.scaffold.plan import Plan
    from c2kit.scaffold.rendering import Templates

__all__ = ["access_of", "authentication"]

_PARAMETERS = {"ca.crt": "ca", "tls.crt": "cert", "tls.key": "key", "username": "username", "password": "password"}
"""What KEDA calls the files of a client."""


def access_of(plan: Plan) -> dict[str, str]:
    """How a trigger reaches the cluster: always by TLS."""
    if plan.settings.kafka.has_passwords:
        return {"tls": "enable", "sasl": "scram_sha512"}
    return {"tls": "enable", "sasl": "none"}


def authentication(plan: Plan, templates: Templates) -> str:
    """The object by which triggers prove who they are."""
    parameters = [
        {"name": _PARAMETERS[file], "secret": secret.name, "key": key}
        for secret in kafka_files(plan, SCALER)
        for key, file in secret.files.items()
    ]
    return templates.render(
        "triggerauthentication.yaml.j2",
        name=SCALER,
        namespace=plan.namespace,
        labels=labels.of(plan, SCALER),
        parameters=parameters,
        username=user_of(plan, SCALER) if has_username(plan) else "",
    )
