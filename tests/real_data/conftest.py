"""Every expectation is held to the Python interface and to the command line, in each of its formats."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import pytest

from tests.real_data import chain, command_line

if TYPE_CHECKING:
    from tests.real_data.chain import Decode


@pytest.fixture(params=["python", "csv", "jsonl", "arrow"])
def decode(request: pytest.FixtureRequest) -> Decode:
    """Return a way to decode recorded bytes by definition files."""
    if request.param == "python":
        return chain.decode
    return functools.partial(command_line.decode_by_command_line, request.param)
