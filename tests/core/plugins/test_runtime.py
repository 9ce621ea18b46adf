"""What a running program registers, of any kind."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

import reidcore
from reidcore import data, registry
from reidcore.errors import PluginError, UnknownNameError, UserError
from reidcore.plugins import make_plugins
from reidcore.plugins.runtime import PLUGIN
from reidcore.registry import KINDS

NAME = "registered_in_a_test"


@pytest.fixture
def name() -> Iterator[str]:
    yield NAME
    PLUGIN.remove("datasets", NAME)


def defined_in(cell: str, source: str = "class Mine: pass") -> type:
    """Return the class that a notebook's cell defines when it runs."""
    namespace = {"__name__": "__main__"}
    exec(compile(source, cell, "exec"), namespace)
    return namespace["Mine"]  # type: ignore[return-value]


def test_a_registered_dataset_is_found_even_in_sets_of_plugins_made_before(name: str) -> None:
    before = make_plugins()
    assert name not in {entry.name for entry in registry.entries("datasets", before)}
    data.register_image_dataset(name, lambda root: data.Splits([], [], []))
    for plugins in (before, None):
        assert registry.find("datasets", name, plugins).plugin == "this process"
    with pytest.raises(UserError, match="registered before"):
        data.register_image_dataset(name, lambda root: data.Splits([], [], []))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_registered(kind: str) -> None:
    reidcore.register(kind, NAME, SimpleNamespace, summary="mine", aliases=["registered_too"])
    try:
        entry = registry.find(kind, "registered_too")
        assert (entry.name, entry.plugin, entry.summary) == (NAME, "this process", "mine")
        assert entry.load() is SimpleNamespace
    finally:
        PLUGIN.remove(kind, NAME)
    assert NAME not in {entry.name for entry in registry.entries(kind)}


@pytest.mark.parametrize("words", [("market1501",), ("mine", "market1501")])
def test_a_name_of_an_installed_plugin_is_refused_at_once(words: tuple[str, ...]) -> None:
    first, *aliases = words
    with pytest.raises(PluginError) as refused:
        reidcore.register("datasets", first, SimpleNamespace, aliases=aliases)
    assert str(refused.value) == (
        "dataset 'market1501' is there already, by plugin 'datasets' (reidcore). "
        "Choose another name, such as 'my_market1501'."
    )
    assert registry.find("datasets", "market1501").plugin == "datasets"
    with pytest.raises(PluginError, match="'market1501' is there already"):
        data.register_video_dataset("market1501", SimpleNamespace)


def test_an_alias_of_another_registered_component_is_refused(name: str) -> None:
    reidcore.register("datasets", name, SimpleNamespace, aliases=["registered_too"])
    with pytest.raises(PluginError, match="'registered_too' is there already, by plugin 'this pro"):
        reidcore.register("datasets", "registered_too", dict)
    reidcore.register("datasets", name, SimpleNamespace, aliases=["registered_too"])


def test_a_name_of_a_plugin_that_is_left_out_is_free() -> None:
    with make_plugins(disabled=["datasets"]):
        reidcore.register("datasets", "market1501", SimpleNamespace)
        PLUGIN.remove("datasets", "market1501")


def test_a_cell_that_runs_again_replaces_what_it_registered(name: str) -> None:
    first, again = defined_in("cell-1"), defined_in("cell-1-edited", "class Mine:\n    x = 1")
    reidcore.register("datasets", name, first)
    reidcore.register("datasets", name, first)
    reidcore.register("datasets", name, again)
    assert registry.find("datasets", name).load() is again
    other = defined_in("cell-2", "class Other: pass\nMine = Other")
    with pytest.raises(PluginError, match="was registered before, as something else"):
        reidcore.register("datasets", name, other)
    assert registry.find("datasets", name).load() is again


def test_the_same_lambda_is_the_same_and_another_is_another(name: str) -> None:
    source = "Mine = lambda root: 1"
    reidcore.register("datasets", name, defined_in("cell-1", source))
    reidcore.register("datasets", name, defined_in("cell-1", source))
    with pytest.raises(PluginError, match="registered before"):
        reidcore.register("datasets", name, defined_in("cell-1", "Mine = lambda root: 2"))


@pytest.mark.parametrize(
    "source",
    [
        "from functools import partial\ndef make(root, size): ...\nMine = partial(make, size=1)",
        "from functools import partial\nclass Make: ...\nMine = partial(partial(Make), 1)",
        "from functools import partial\nMine = partial(lambda root, size: 1, size=2)",
        "class Make:\n    def __call__(self, root): ...\nMine = Make()",
        "class Make:\n    def load(self, root): ...\nMine = Make().load",
    ],
)
def test_a_cell_that_makes_a_callable_object_may_run_again(name: str, source: str) -> None:
    reidcore.register("datasets", name, defined_in("cell-1", source))
    again = defined_in("cell-1", source)
    reidcore.register("datasets", name, again)
    assert registry.find("datasets", name).load() is again
    others = (
        "from functools import partial\ndef other(root): ...\nMine = partial(other)",
        "class Other:\n    def __call__(self, root): ...\nMine = Other()",
    )
    for other in others:
        with pytest.raises(PluginError, match="registered before"):
            reidcore.register("datasets", name, defined_in("cell-2", other))


def test_spelled_targets_are_compared_as_they_are_spelled(name: str) -> None:
    reidcore.register("datasets", name, "shop.data:front")
    reidcore.register("datasets", name, "shop.data:front")
    with pytest.raises(PluginError, match="registered before"):
        reidcore.register("datasets", name, "shop.data:back")


def test_misuse_is_refused_and_leaves_nothing_behind() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'losses'"):
        reidcore.register("loses", NAME, SimpleNamespace)
    with pytest.raises(TypeError, match="neither callable nor 'module:attribute'"):
        reidcore.register("losses", NAME, "no_attribute")
    with pytest.raises(ValueError, match="is no name for a loss"):
        reidcore.register("losses", "a/b", SimpleNamespace)
    assert NAME not in {entry.name for entry in registry.entries("losses")}


def test_register_is_there_without_anything_heavy() -> None:
    code = (
        "import sys, reidcore\n"
        "reidcore.register('losses', 'mine', 'shop:Loss')\n"
        "assert not {'torch', 'numpy'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
