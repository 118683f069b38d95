"""The one part of the package that is compiled, which a machine without a compiler does without.

All else stands in ``pyproject.toml``. The kernel is compiled for one version of CPython, with all of its API: the
limited one, which would do for all versions, makes single packets take up to a quarter more time.

``C2KIT_REQUIRE_KERNEL=1`` makes a failure to compile the kernel fatal, and ``C2KIT_KERNEL_CFLAGS`` has more flags for
it (``CFLAGS`` would be those of all that pip compiles).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

FOLDER = Path("src/c2kit/kernel/c")
UNIX_FLAGS = [
    "-std=c11",
    "-O3",
    "-funroll-loops",
    "-fno-plt",  # one packet at a time is mostly calls of Python, a tenth of which this spares
    "-g0",  # nothing of the machine that built it: the same source gives the same bytes
    "-fvisibility=hidden",
    "-ffp-contract=off",
]


class Compile(build_ext):
    """Compiles with the flags of the compiler that is there."""

    def build_extensions(self) -> None:
        """Compile."""
        for extension in self.extensions:
            flags = ["/std:c11", "/O2"] if self.compiler.compiler_type == "msvc" else UNIX_FLAGS
            extension.extra_compile_args = flags + os.environ.get("C2KIT_KERNEL_CFLAGS", "").split()
        super().build_extensions()


class Wheel(bdist_wheel):
    """A wheel for any machine where nothing was compiled."""

    def run(self) -> None:
        """Compile first: only then is it known what kind of wheel it will be."""
        self.run_command("build_ext")
        compile_command: Any = self.get_finalized_command("build_ext")
        if not all(Path(output).exists() for output in compile_command.get_outputs()):
            self.distribution.ext_modules = []
            self.root_is_pure = True
        super().run()


setup(
    ext_modules=[
        Extension(
            "c2kit.kernel._kernel",
            sources=sorted(path.as_posix() for path in FOLDER.glob("*.c")),
            depends=sorted(path.as_posix() for path in FOLDER.glob("*.h")),
            optional=os.environ.get("C2KIT_REQUIRE_KERNEL") != "1",
        )
    ],
    cmdclass={"build_ext": Compile, "bdist_wheel": Wheel},
)
