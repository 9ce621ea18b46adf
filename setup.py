"""Builds the optional evaluation kernel; everything else is in pyproject.toml.

Without a compiler, OpenMP or Cython the package still installs: evaluation then counts with
torch, and ``reidcore env`` says so.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

_log = logging.getLogger("reidcore.setup")
_EVALUATION = Path("reidcore/evaluation")


class OptionalKernel(build_ext):
    """Compile with OpenMP where there is any, and carry on where nothing compiles."""

    def build_extensions(self) -> None:
        flags = self._openmp_flags()
        for extension in self.extensions:
            extension.extra_compile_args += flags
            extension.extra_link_args += flags
        super().build_extensions()

    def run(self) -> None:
        try:
            super().run()
        except Exception as error:
            _log.warning("The evaluation kernel was not built (torch will serve): %s", error)

    def _openmp_flags(self) -> list[str]:
        flags = ["-fopenmp"]
        compiler = getattr(self.compiler, "compiler_so", None)
        if not compiler:
            return []
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder, "openmp.c")
            program.write_text(
                "#include <omp.h>\nint main(void) { return omp_get_max_threads() < 1; }\n"
            )
            command = [compiler[0], str(program), *flags, "-o", str(Path(folder, "openmp"))]
            try:
                subprocess.run(command, check=True, capture_output=True)
            except (OSError, subprocess.CalledProcessError):
                _log.warning("No OpenMP here: the evaluation kernel will use one thread.")
                return []
        return flags


def kernel() -> list[Extension]:
    """Return the extension, or nothing where Cython is missing or they are not wanted."""
    if os.environ.get("REIDCORE_NO_EXTENSION"):
        return []
    try:
        from Cython.Build import cythonize
    except ImportError:
        _log.warning("No Cython here: the evaluation kernel is left out (torch will serve).")
        return []
    flags = [] if sys.platform == "win32" else ["-O3", "-g0"]
    extension = Extension(
        "reidcore.evaluation._counting",
        [str(_EVALUATION / name) for name in ("_counting.pyx", "_kernel.c", "_codes.c")],
        depends=[str(_EVALUATION / name) for name in ("_kernel.h", "_panel.h", "_filter.h")],
        include_dirs=[str(_EVALUATION)],
        extra_compile_args=flags,
        optional=True,
    )
    built: list[Extension] = cythonize([extension], build_dir="build/cython")
    return built


setup(ext_modules=kernel(), cmdclass={"build_ext": OptionalKernel})
