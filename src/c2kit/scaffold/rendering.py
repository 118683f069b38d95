"""Templates to text: the one place where Jinja2 is used.

A template decides about form alone. Each value that it shows goes through the filter ``q``, which writes it so that
YAML reads exactly it, whatever it holds; a name that a template uses and nobody gives is an error. Who wants another
form puts a template of the same name into a folder of his own.
"""

from __future__ import annotations

import difflib
import json
import re
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from c2kit.errors import UsageError
from c2kit.scaffold.lock import hash_of

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["FOLDER", "Templates", "quoted"]

FOLDER = Path(__file__).with_name("templates")
"""Those that come with c2kit; ``k8s-templates`` in the repository is a link to it."""

_NOT_PRINTED = re.compile("[\\x7f-\\x9f\\u2028\\u2029\\ufeff\\ud800-\\udfff\\ufffe\\uffff]")


def quoted(value: object) -> str:
    """A text, number, truth, or list or mapping of them, in one line that YAML reads so, whatever it holds.

    Raises TypeError for anything else: nothing that was forgotten becomes ``null``.
    """
    _check(value)
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return _NOT_PRINTED.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def _check(value: object) -> None:
    """Raise TypeError for what is none of these."""
    if isinstance(value, dict):
        for each in value.items():
            _check(each)
    elif isinstance(value, list | tuple):
        for each in value:
            _check(each)
    elif not isinstance(value, str | int | float):
        raise TypeError(f"{value} cannot be written to YAML")  # what is undefined says so when it is shown


class Templates:
    """The templates that come with c2kit, and those of a user, which take precedence.

    Args:
        own: the folder with the user's templates.

    Raises:
        UsageError: Jinja2 is not installed; the folder is none, or has a template that nobody would use.
    """

    def __init__(self, own: Path | None = None) -> None:
        self._own = own
        self._environment = _environment([FOLDER] if own is None else [own, FOLDER])
        if own is not None:
            _check_own(own)

    @property
    def environment(self) -> Environment:
        """As Jinja2 has it, for checks of templates."""
        return self._environment

    @cached_property
    def own(self) -> dict[str, str]:
        """The user's templates, with the hashes of their texts."""
        paths = [] if self._own is None else sorted(self._own.glob("*.j2"))
        return {path.name: hash_of(path.read_bytes()) for path in paths}

    def render(self, name: str, /, **values: object) -> str:
        """The text of a template with these values. Raises UsageError, with its place, for a template that fails."""
        from jinja2 import TemplateError  # noqa: PLC0415 - as in `_environment`

        try:
            return self._environment.get_template(name).render(**values)
        except (TemplateError, TypeError, AttributeError, LookupError) as error:
            if self._own is None or not (self._own / name).exists():
                raise  # one of ours: a defect, whose traceback says more
            raise UsageError(
                f"{self._place(name, error)}: {error}", remedy="mend your template, or remove it"
            ) from error

    def _place(self, name: str, error: Exception) -> str:
        """The file and the line of a template that failed, from what the error knows of it."""
        line = getattr(error, "lineno", None)
        traceback = error.__traceback__
        while traceback is not None and line is None:
            if traceback.tb_frame.f_code.co_filename.endswith(name):
                line = traceback.tb_lineno
            traceback = traceback.tb_next
        file = f"{self._own}/{name}"
        return file if line is None else f"{file}:{line}"


def _environment(folders: list[Path]) -> Environment:
    try:
        import jinja2  # noqa: PLC0415 - it is in an extra
    except ModuleNotFoundError:
        raise UsageError("the scaffold needs Jinja2", remedy="pip install 'c2kit[scaffold]'") from None
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folders),
        autoescape=False,  # noqa: S701 - it is not HTML; `q` quotes
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.clear()  # so that what nobody gives is missing, and not a function of Jinja2
    environment.filters["q"] = quoted
    return environment


def _check_own(folder: Path) -> None:
    if not folder.is_dir():
        raise UsageError("the folder of templates", expected="a folder", found=str(folder))
    known = sorted(path.name for path in FOLDER.iterdir())
    for path in sorted(folder.iterdir()):
        if path.name not in known and path.suffix == ".j2":
            near = difflib.get_close_matches(path.name, known, n=1)
            remedy = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
            raise UsageError(f"nobody would use the template {path}", remedy=remedy)
