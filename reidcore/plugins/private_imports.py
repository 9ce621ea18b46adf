"""Which private modules of reidcore a plugin imports, read from its source."""

from __future__ import annotations

from itertools import accumulate

from reidcore._source import has_file, imports, is_module, parse, source_files

FACADES = frozenset(
    {
        "reidcore",
        *(
            f"reidcore.{name}"
            for name in (
                "cli",
                "config",
                "data",
                "engine",
                "errors",
                "evaluation",
                "inference",
                "losses",
                "metrics",
                "models",
                "optim",
                "plugins",
                "registry",
                "testing",
                "utils",
            )
        ),
    }
)
"""The public modules: what their ``__all__`` names is public, modules below them are not."""


def private_imports(module: str) -> list[str]:
    """Return the private modules of reidcore that a plugin's package imports, sorted.

    They work, and may change or go with any release.

    Args:
        module: the plugin's module; whatever is in the same package counts.
    """
    named = {
        name
        for file in source_files(_package_of(module))
        if (tree := parse(file)) is not None
        for name in imports(tree)
    }
    return sorted(
        name
        for name in named - FACADES
        if name.startswith("reidcore.") and is_module(name) and not _leads_deeper(name, named)
    )


def _package_of(module: str) -> str:
    """Return the outermost package that holds a module and has files of its own."""
    paths = list(accumulate(module.split("."), lambda above, name: f"{above}.{name}"))
    return next(filter(has_file, paths), module)


def _leads_deeper(name: str, named: set[str]) -> bool:
    """Say whether a name is only the way to a deeper module: ``from reidcore.a import b``."""
    return any(other.startswith(f"{name}.") and is_module(other) for other in named)
