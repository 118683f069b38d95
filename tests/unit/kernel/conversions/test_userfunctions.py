"""Finding the functions that a dictionary names."""

from pathlib import Path

import numpy as np
import pytest

from c2kit import functions
from c2kit.errors import DefinitionError
from c2kit.kernel.conversions.userfunctions import resolve
from c2kit.model.conversions import Function
from c2kit.model.source import Source

HERE = Source("health.yaml", 12)


def test_a_function_is_found_by_its_import_path() -> None:
    assert resolve(Function("c2kit.functions:product"), where="X") is functions.product
    assert resolve(Function("numpy:linalg.norm"), where="X") is np.linalg.norm


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("c2kit.functions:produkt", "AttributeError"),
        ("c2kit.no_such_module:f", "ModuleNotFoundError"),
        ("no_such_package:f", "ModuleNotFoundError"),
    ],
)
def test_a_missing_function_is_told_with_the_place_that_asked_for_it(path: str, found: str) -> None:
    with pytest.raises(DefinitionError, match=rf"health\.yaml:12: X: its function {path} cannot .*{found}"):
        resolve(Function(path), where="X", source=HERE)


def test_what_cannot_be_called_is_no_function() -> None:
    with pytest.raises(DefinitionError, match="X: math:pi is not a function, expected something to call, found float"):
        resolve(Function("math:pi"), where="X", source=HERE)


def test_a_module_that_fails_is_told_with_its_cause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "half_written.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(DefinitionError, match="cannot be imported, found ZeroDivisionError") as caught:
        resolve(Function("half_written:f"), where="X", source=HERE)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "calibrated.py").write_text("def f(raw): return raw\nf.version = 2\ndef g(raw): return raw\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert callable(resolve(Function("calibrated:f", "2"), where="X"))
    assert callable(resolve(Function("calibrated:g", "1"), where="X"))
    for path, meant, there in (("calibrated:f", "1", "2"), ("calibrated:g", "3", "1")):
        with pytest.raises(
            DefinitionError, match=rf"another version .*expected version {meant}, found version {there}"
        ):
            resolve(Function(path, meant), where="X", source=HERE)
