"""A hook that ends the program has failed: an error names its plugin, whatever the exit's code."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from reidcore import hookimpl, hookspec
from reidcore.errors import PluginDefectError, PluginError
from reidcore.plugins import HOOK_NAMES, make_plugins
from reidcore.registry import KINDS, choose, entries
from reidcore.testing import TinyNet, tiny_run


def leaves() -> None:
    sys.exit(0)


def publishes(plugins: Any) -> None:
    leaves()


def exiting(hook: str, implementation: Callable[..., Any] = leaves) -> Any:
    """Return a plugin that exits where a hook is called."""
    marked = hookimpl(wrapper=inspect.isgeneratorfunction(implementation))(implementation)
    return type("Leaver", (), {hook: staticmethod(marked)})()


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one epoch, in which a plugin keeps a state."""

    class Leaver:
        @hookimpl
        def reid_checkpoint_save(self) -> dict[str, int]:
            return {"kept": 1}

    folder = tmp_path_factory.mktemp("run")
    tiny_run(Leaver(), save_dir=folder)
    return folder / "model.pth.tar-1"


def call(hook: str, plugin: Any, checkpoint: Path, save_dir: Path) -> None:
    """Do what calls a hook."""
    kind = hook.removeprefix("reid_register_")
    if kind in KINDS:
        with make_plugins(extra=[plugin]) as plugins:
            entries(kind, plugins)
        return
    tiny_run(
        plugin,
        save_dir=save_dir,
        root=checkpoint.parent / "data",
        overrides=[f"model.resume={checkpoint}", "train.max_epoch=2"],
    )


@pytest.mark.parametrize("hook", HOOK_NAMES)
def test_a_hook_that_exits_is_its_plugins_defect(
    checkpoint: Path, tmp_path: Path, hook: str
) -> None:
    told = rf"plugin 'Leaver' ended the program in {hook} \(SystemExit: 0\)"
    exits = publishes if hook == "reid_add_hookspecs" else leaves
    with pytest.raises((PluginDefectError, PluginError), match=told):
        call(hook, exiting(hook, exits), checkpoint, tmp_path)


@pytest.mark.parametrize("hook", ["reid_compute_losses", "reid_forward_backward", "reid_evaluate"])
def test_so_is_a_wrapper_that_exits(checkpoint: Path, tmp_path: Path, hook: str) -> None:
    def leaves_afterwards() -> Generator[None, Any, None]:
        yield
        sys.exit()

    with pytest.raises(PluginDefectError, match=f"'Leaver' ended the program in {hook}"):
        call(hook, exiting(hook, leaves_afterwards), checkpoint, tmp_path)


def test_a_hook_that_a_plugin_publishes_is_no_door_either() -> None:
    class Hooks:
        @hookspec
        def reid_shop_opened(self) -> None:
            """Open."""

    class Shop:
        @hookimpl
        def reid_add_hookspecs(self, plugins: Any) -> None:
            plugins.add_hookspecs(Hooks)

    plugins = make_plugins(extra=[Shop(), exiting("reid_shop_opened")])
    with pytest.raises(PluginDefectError, match="'Leaver' ended the program in reid_shop_opened"):
        plugins.hook.reid_shop_opened()


def test_the_innermost_plugin_is_named(checkpoint: Path, tmp_path: Path) -> None:
    class Surrounds:
        @hookimpl(wrapper=True)
        def reid_forward_backward(self) -> Generator[None, Any, Any]:
            return (yield)

    both = (Surrounds(), exiting("reid_compute_losses"))
    with pytest.raises(PluginDefectError, match="'Leaver' ended the program in reid_compute"):
        tiny_run(*both, save_dir=tmp_path, root=checkpoint.parent / "data")


class LeavingNet(TinyNet):
    def featuremaps(self, images: Any) -> Any:
        sys.exit("no model today")


class Models:
    @hookimpl
    def reid_register_models(self, registry: Any) -> None:
        registry.add("leavingnet", LeavingNet)
        registry.add("leaving_factory", lambda num_classes, **_: leaves())
        registry.add("leaving_module", "reid_leaves_when_imported:net")


def test_a_model_that_exits_in_a_step_is_a_defect_of_its_plugin(
    checkpoint: Path, tmp_path: Path
) -> None:
    with pytest.raises(PluginDefectError, match=r"'Models' .*_backward \(SystemExit: no model"):
        tiny_run(Models(), save_dir=tmp_path, root=checkpoint.parent / "data", model="leavingnet")


def test_a_factory_that_exits_is_a_defect_of_its_plugin() -> None:
    component = choose("models", "leaving_factory", plugins=make_plugins(extra=[Models()]))
    with pytest.raises(PluginDefectError, match=r"'Models' ended .* in model 'leaving_factory'"):
        component.make(num_classes=3, loss="softmax", pretrained=False)


def test_a_component_whose_module_exits_cannot_be_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "reid_leaves_when_imported.py").write_text("import sys\nsys.exit(0)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    plugins = make_plugins(extra=[Models()])
    with pytest.raises(PluginError, match=r"cannot be loaded from .*: SystemExit: 0"):
        choose("models", "leaving_module", plugins=plugins)
