"""How the files of a deployment are put together by kustomize: a base, components, and overlays that are the user's.

What cannot be deployed to production is refused there, and not only by c2kit: the component names a file that does not
exist, so that nothing applies it, and the name of the file says what to do.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attrs import frozen

from c2kit.scaffold.digests import DIGESTS, pinned

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from c2kit.scaffold.plan import Plan
    from c2kit.scaffold.rendering import Templates

__all__ = ["Refusal", "base", "overlays", "production_files", "refusals_of"]


@frozen(kw_only=True)
class Refusal:
    """What is missing for production: the file that is named in its place, and why, for people."""

    file: str
    why: str


def refusals_of(plan: Plan, digests: Mapping[str, str]) -> tuple[Refusal, ...]:
    """All that production waits for."""
    return (*_unset(plan), *_unpinned(plan, digests))


def _unset(plan: Plan) -> Iterator[Refusal]:
    for text in plan.unset:
        key = re.sub(r"[^A-Za-z0-9.-]+", "-", text.partition(":")[0])
        yield Refusal(file=f"set-{key}-in-settings.yaml", why=text)


def _unpinned(plan: Plan, digests: Mapping[str, str]) -> Iterator[Refusal]:
    images = sorted({workload.image for workload in plan.workloads if workload.image not in digests})
    if images:
        more = f", and {len(images) - 1} more" if len(images) > 1 else ""
        why = f"{DIGESTS}: no digest of {images[0]}{more}"
        yield Refusal(file=f"name-the-digests-of-images-in-{DIGESTS}", why=why)


def base(resources: Iterable[str], templates: Templates) -> str:
    """The ``kustomization.yaml`` of the base."""
    return templates.render("kustomization.yaml.j2", resources=sorted(resources))


def production_files(plan: Plan, digests: Mapping[str, str], templates: Templates) -> dict[str, str]:
    """The components that production has, by their paths."""
    files = {
        "components/production/kustomization.yaml": templates.render(
            "production.yaml.j2", refusals=refusals_of(plan, digests), has_digests=bool(digests)
        )
    }
    if digests:
        text = templates.render("digests.yaml.j2", images=pinned(digests), source=DIGESTS)
        files["components/digests/kustomization.yaml"] = text
    return files


def overlays(templates: Templates, *, simulated: bool) -> dict[str, str]:
    """What is made once, by its paths."""
    return {
        "overlays/local/kustomization.yaml": templates.render("overlay-local.yaml.j2", simulated=simulated),
        "overlays/production/kustomization.yaml": templates.render("overlay-production.yaml.j2"),
    }
