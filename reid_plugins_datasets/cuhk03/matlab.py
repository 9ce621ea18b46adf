"""The packages that read MATLAB's files, which an extra brings."""

from __future__ import annotations

import importlib
from typing import Any

from reidcore.errors import UserError


def reader(module: str) -> Any:
    """Import a package of the extra ``mat``.

    Raises:
        UserError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UserError(
            f"cuhk03 is stored in MATLAB files, which need a package that is missing ({error})",
            'Run: pip install "reidcore[mat]"',
        ) from error
