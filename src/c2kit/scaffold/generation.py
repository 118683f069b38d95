"""From a description and settings to all files of a deployment: nothing is read or written here, and nothing is random.

Three steps, each testable alone: everything is decided (the plan), made into text, and read back and checked, as what
a cluster would be given. What does not fit together is refused before anybody writes it.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from attrs import frozen

import c2kit
from c2kit.errors import UsageError
from c2kit.scaffold import alerts, observability
from c2kit.scaffold.compose_file import compose_file
from c2kit.scaffold.digests import DIGESTS, read_digests
from c2kit.scaffold.images import ImageSources, images_of
from c2kit.scaffold.kafka_admin import admin_files
from c2kit.scaffold.manifests import base_of, component_files, overlay_files
from c2kit.scaffold.overlays import refusals_of
from c2kit.scaffold.permissions_page import permissions_page
from c2kit.scaffold.readme import readme
from c2kit.scaffold.resolve import resolve
from c2kit.scaffold.tree import SETTINGS, Tree
from c2kit.scaffold.validation import Catalogue, findings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import TypeVar

    from c2kit.pipeline.composition.description import MissionDescription
    from c2kit.scaffold.images import Image
    from c2kit.scaffold.overlays import Refusal
    from c2kit.scaffold.plan import Plan

    Content = TypeVar("Content", str, bytes)

__all__ = ["Deployment", "Inputs", "generate"]


@frozen(kw_only=True)
class Inputs:
    """All that a deployment follows from."""

    description: MissionDescription
    sources: ImageSources
    """Settings, templates, and what images are made of."""
    settings_text: str
    """Of the user's file, which is made where there is none."""
    digests_file: str
    """Of the user's other file, as it is made."""
    digests_text: str
    """The digests that are meant, perhaps of another file."""
    digests_name: str = DIGESTS
    """What that file is called in errors."""


@frozen(kw_only=True)
class Deployment:
    """What was generated."""

    plan: Plan
    images: tuple[Image, ...]
    tree: Tree
    refusals: tuple[Refusal, ...]
    """What production waits for."""


def generate(inputs: Inputs) -> Deployment:
    """Everything. The same inputs give the same bytes.

    Raises:
        UsageError: what cannot be deployed, with what to do about it.
        DefinitionError: a line of a user's file that cannot be right.
    """
    sources = inputs.sources
    images = images_of(inputs.description, sources)
    plan = resolve(inputs.description, sources.settings, {image.stage: image.reference for image in images})
    references = [image.reference for image in images]
    digests = read_digests(inputs.digests_text, inputs.digests_name, references)
    base = base_of(plan, sources.templates)
    _check(plan, base.objects)
    components = component_files(plan, digests, sources.templates)
    once = {
        SETTINGS: inputs.settings_text,
        DIGESTS: inputs.digests_file,
        **overlay_files(components, sources.templates),
    }
    refusals = refusals_of(plan, digests)
    admin = _under("kafka-admin", admin_files(plan, sources.templates))
    texts = {**_under("base", base.files), **components, **admin, **dict(_pages(inputs, plan, images, refusals))}
    tree = Tree(
        c2kit=c2kit.__version__,
        mission=inputs.description.name,
        description=hashlib.sha256(inputs.description.as_json().encode()).hexdigest(),
        files={**_encoded(texts), **_under("images", _folders(images))},
        once=_encoded(once),
        partitions={topic.name: topic.partitions for topic in plan.topics},
        templates=sources.templates.own,
    )
    return Deployment(plan=plan, images=images, tree=tree, refusals=refusals)


def _pages(
    inputs: Inputs, plan: Plan, images: Sequence[Image], refusals: Sequence[Refusal]
) -> Iterator[tuple[str, str]]:
    """What is for people and for other programs than Kubernetes."""
    templates = inputs.sources.templates
    yield "README.md", readme(plan, images, inputs.sources, refusals)
    yield "permissions.md", permissions_page(plan, templates)
    yield "compose.yaml", compose_file(inputs.description, inputs.sources.settings, images, templates)
    yield "monitoring/prometheus.yaml", observability.scraping(plan, templates)
    yield "monitoring/alerts.yaml", alerts.rules(plan, templates)
    yield "monitoring/dashboard.json", observability.dashboard(plan, templates)


def _check(plan: Plan, all_of: Catalogue) -> None:
    """Raise UsageError for objects that do not fit together: a defect of c2kit, or of a user's template."""
    found = findings(Catalogue(all_of.objects, elsewhere=_elsewhere(plan)))
    if found:
        text = "; ".join(map(str, found[:5]))
        more = f"; and {len(found) - 5} more" if len(found) > 5 else ""
        raise UsageError("the objects do not fit together", found=f"{text}{more}", remedy="mend your templates")


def _elsewhere(plan: Plan) -> Iterable[str]:
    """Secrets and claims that others make."""
    settings = plan.settings
    external = settings.kafka.external
    stages = [identity.label for identity in plan.identities]
    yield from (external.ca_secret, *(external.secret.replace("{stage}", stage) for stage in stages))
    yield from (link.claim for link in settings.links.values() if link.claim)
    yield from (store.secret for store in settings.stores.values() if store.secret)
    if settings.images.pull_secret:
        yield settings.images.pull_secret


def _folders(images: Iterable[Image]) -> dict[str, bytes]:
    return {path: content for image in images for path, content in image.files.items()}


def _under(folder: str, files: Mapping[str, Content]) -> dict[str, Content]:
    return {f"{folder}/{path}": content for path, content in files.items()}


def _encoded(texts: Mapping[str, str]) -> dict[str, bytes]:
    return {path: text.encode() for path, text in texts.items()}
