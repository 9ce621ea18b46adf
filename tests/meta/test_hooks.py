"""No hook without a test, a section in the documentation, and a call.

The hooks that bundled plugins publish are held to the same.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable

import pytest

from reidcore import hookspecs
from reidcore.plugins import HOOK_NAMES, make_plugins
from reidcore.registry import KINDS


def published_hooks() -> dict[str, Callable[..., object]]:
    """Return the specifications that bundled plugins publish, in their modules ``hookspecs``."""
    published = make_plugins(only=["reidcore"]).published
    return {
        name: getattr(importlib.import_module(f"{plugin.module_name}.hookspecs"), name)
        for name, plugin in published.items()
    }


PUBLISHED = published_hooks()
HOOKS = {**{name: getattr(hookspecs, name) for name in HOOK_NAMES}, **PUBLISHED}


def signature(name: str) -> str:
    arguments = inspect.signature(HOOKS[name]).parameters
    return f"{name}({', '.join(arguments)})"


@pytest.fixture(scope="module")
def tests(committed) -> str:
    return "\n".join(
        path.read_text()
        for path in committed
        if path.match("test_*.py") and "meta" not in path.parts
    )


@pytest.fixture(scope="module")
def core(checkout) -> str:
    return "\n".join(path.read_text() for path in (checkout / "reidcore").rglob("*.py"))


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_has_a_test_of_its_name(name, tests) -> None:
    assert re.search(rf"^ *def test_{name}\(", tests, re.M)


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_has_a_section_headed_by_its_signature(name, checkout) -> None:
    headings = re.findall(r"^#+ (.*)$", (checkout / "docs" / "hooks.md").read_text(), re.M)
    assert [each.replace("`", "") for each in headings].count(signature(name)) == 1


@pytest.mark.parametrize("name", HOOK_NAMES)
def test_every_hook_is_called_by_the_core(name, core) -> None:
    kind = name.removeprefix("reid_register_")
    if kind in KINDS:
        assert 'f"reid_register_{kind}"' in core
    else:
        assert re.search(rf'\b(hook|obj)\.{name}\b|(subset_hook|one_by_one)\("{name}"', core)


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_published_hook_is_called_by_its_package(name, checkout) -> None:
    package = HOOKS[name].__module__.partition(".")[0]
    (folder,) = [*checkout.glob(package), *(checkout / "plugins").glob(package)]
    text = "\n".join(path.read_text() for path in folder.rglob("*.py"))
    assert re.search(rf'\bhook\.{name}\b|one_by_one\("{name}"|published\(KIND, "{name}"', text)


def test_there_is_a_registry_hook_for_every_kind_and_no_other() -> None:
    hooks = [name for name in HOOK_NAMES if name.startswith("reid_register_")]
    assert hooks == [f"reid_register_{kind}" for kind in KINDS]


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_says_when_how_it_stops_and_how_stable_it_is(name) -> None:
    text = inspect.getdoc(HOOKS[name])
    for part in ("When: ", "Stop rule: ", "Args:"):
        assert part in text
    assert re.search(r"Stability: (stable|provisional)\.", text)
    for argument in inspect.signature(HOOKS[name]).parameters:
        assert re.search(rf"^    {argument}: ", text, re.M)


def test_the_loop_names_every_hook_that_is_no_registry_hook() -> None:
    loop = inspect.getdoc(hookspecs)
    missing = [name for name in HOOK_NAMES if name not in loop and "register" not in name]
    assert missing == []


def test_the_documentation_names_no_hook_that_is_not_there(checkout) -> None:
    pages = [checkout / "README.md", *(checkout / "docs").glob("*.md")]
    named = {name for page in pages for name in re.findall(r"def (reid_\w+)", page.read_text())}
    examples = {"reid_shop_opened", "reid_register_prices"}  # of published hooks
    assert named - examples <= set(HOOKS)
    assert named
