"""Generated text read back, as a cluster would, to be looked at before it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING or yaml.__with_libyaml__:
    from yaml import CSafeLoader as _Loader
else:  # pragma: no cover - as in c2kit.dictionaries.yaml.text
    from yaml import SafeLoader as _Loader

from c2kit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["objects_in"]


def objects_in(text: str, name: str) -> Iterator[dict[str, Any]]:
    """The objects of Kubernetes in a file, called ``name`` in errors.

    Raises UsageError for what is no object, as the template of a user may have made it.
    """
    try:
        for document in yaml.load_all(text, _Loader):
            if not isinstance(document, dict) or not {"apiVersion", "kind", "metadata"} <= document.keys():
                raise UsageError(f"a document in {name}", expected="an object with apiVersion, kind and metadata")
            yield document
    except yaml.YAMLError as error:
        raise UsageError(f"{name} is no YAML", found=error, remedy="mend your template") from None
