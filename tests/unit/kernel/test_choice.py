"""Which kernel is used: chosen by the environment, told by the command line, and by name where it cannot be."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from c2kit.errors import UsageError
from c2kit.kernel import choice
from tests.kernels import OTHERS, needs_compiled

MODULES = {"c": "c2kit.kernel.compiled", "numpy": "c2kit.kernel.columns", "reference": "c2kit.kernel.reference"}


def python(*arguments: str, kernel: str | None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != choice.VARIABLE}
    if kernel is not None:
        environment[choice.VARIABLE] = kernel
    return subprocess.run(
        [sys.executable, *arguments], check=False, capture_output=True, text=True, env=environment, timeout=60
    )


@pytest.mark.parametrize(
    "name", [pytest.param("c", marks=needs_compiled), pytest.param("numpy"), pytest.param("reference")]
)
def test_the_variable_names_the_kernel(name: str) -> None:
    script = "from c2kit.kernel.chosen import kernel; print(kernel.__name__)"
    assert python("-c", script, kernel=name).stdout.split() == [MODULES[name]]
    script = "from c2kit.cli import main; main()"
    assert python("-c", script, "--version", kernel=name).stdout.splitlines()[1:] == [f"kernel: {name}"]


@pytest.mark.parametrize("nothing", [None, ""])
def test_the_fastest_that_is_there_is_used_where_nothing_is_named(nothing: str | None) -> None:
    fastest = "c" if "compiled" in OTHERS else "numpy"
    script = "from c2kit.kernel.choice import chosen_name; print(chosen_name())"
    assert python("-c", script, kernel=nothing).stdout.split() == [fastest]


def test_another_name_is_refused_with_those_that_there_are() -> None:
    refused = python("-c", "from c2kit.cli import main; main()", "--version", kernel="fortran")
    assert refused.returncode == 2
    assert "C2KIT_KERNEL, expected c, numpy or reference, found fortran" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_without_the_extension_numpy_decodes_and_c_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    monkeypatch.delenv(choice.VARIABLE, raising=False)
    assert choice.chosen_name() == "numpy"
    monkeypatch.setenv(choice.VARIABLE, "c")
    with pytest.raises(UsageError, match=r"was not compiled.*C compiler"):
        choice.chosen_name()


def test_only_the_kernel_that_is_used_is_imported() -> None:
    script = "import sys, c2kit.kernel.chosen; print('c2kit.kernel.columns' in sys.modules)"
    assert python("-c", script, kernel="reference").stdout.split() == ["False"]
