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
    told = r"'leaving_factory' of plugin 'Models' ended the program in its factory"
    with pytest.raises(PluginDefectError, match=told):
        component.make(num_classes=3, loss="softmax", pretrained=False)


def test_a_component_whose_module_exits_cannot_be_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "reid_leaves_when_imported.py").write_text("import sys\nsys.exit(0)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    plugins = make_plugins(extra=[Models()])
    with pytest.raises(PluginDefectError, match=r"cannot be loaded from .*: SystemExit: 0"):
        choose("models", "leaving_module", plugins=plugins)


# -- where no hook leads to a plugin's code --------------------------------------------------------


class Leaves:
    """Stands for a component; one method of it ends the program.

    Args:
        method: its name.
        made: what answers for everything else.
    """

    def __init__(self, method: str, made: Any) -> None:
        self._method, self._made = method, made

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in ("_method", "_made"):
            raise AttributeError(name)
        return self.leave if name == self._method else getattr(self._made, name)

    def leave(self, *arguments: Any, **options: Any) -> None:
        leaves()


def market1501() -> Any:
    from reidcore.evaluation import Market1501

    return Market1501()


def constant(optimizer: Any) -> Any:
    import torch

    return Leaves("step", torch.optim.lr_scheduler.ConstantLR(optimizer))


class Components:
    """Components that leave when they are at work."""

    @hookimpl
    def reid_register_schedulers(self, registry: Any) -> None:
        registry.add("leaving", constant)

    @hookimpl
    def reid_register_samplers(self, registry: Any) -> None:
        registry.add("leaving", lambda table, batch_size, seed: Leaves("order", None))

    @hookimpl
    def reid_register_engines(self, registry: Any) -> None:
        registry.add("leaving", lambda datamanager, model, optimizer: leaves())

    @hookimpl
    def reid_register_protocols(self, registry: Any) -> None:
        registry.add("relating", lambda: Leaves("relations", market1501()))
        registry.add("evaluating", lambda: Leaves("evaluate", None))

    @hookimpl
    def reid_register_losses(self, registry: Any) -> None:
        registry.add("leaving_loss", lambda num_classes: lambda logits, pids: leaves())


@pytest.mark.parametrize(
    "setting",
    [
        "train.lr_scheduler=leaving",
        "sampler.train_sampler=leaving",
        "loss.name=leaving",
        "test.protocol=relating",
        "test.protocol=evaluating",
        "loss.terms.leaving_loss=1",
    ],
)
def test_components_at_work_that_exit_are_a_defect_of_their_plugin(
    checkpoint: Path, tmp_path: Path, setting: str
) -> None:
    with pytest.raises(PluginDefectError, match=r"plugin 'Components' ended the program in"):
        tiny_run(
            Components(),
            save_dir=tmp_path,
            root=checkpoint.parent / "data",
            overrides=[setting],
        )


def test_an_exit_where_images_are_read_leaves_a_checkpoint(
    checkpoint: Path, tmp_path: Path
) -> None:
    images = iter(range(12))

    def leaves_in_the_second_batch(image: Any) -> Any:
        return image if next(images, None) is not None else leaves()

    class Transforms:
        @hookimpl
        def reid_register_transforms(self, registry: Any) -> None:
            registry.add("leaving", lambda height, width: leaves_in_the_second_batch)

    with pytest.raises(PluginDefectError, match="plugin 'Transforms' ended the program"):
        tiny_run(
            Transforms(),
            save_dir=tmp_path,
            root=checkpoint.parent / "data",
            overrides=["data.transforms=[leaving]"],
        )
    assert list(tmp_path.glob("*interrupted*"))


def test_a_program_of_ones_own_may_exit(checkpoint: Path, tmp_path: Path) -> None:
    plugins = make_plugins()
    with pytest.raises(SystemExit), plugins.acting():
        leaves()
