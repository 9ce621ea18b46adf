"""Models by name."""

from __future__ import annotations

import pytest
from torch import nn

from reidcore import hookimpl
from reidcore.errors import ConfigError, PluginDefectError, UnknownNameError
from reidcore.models import ReidModel, build_model, show_avai_models, unwrap
from reidcore.plugins import make_plugins

CALLS: list[dict] = []


class Net(ReidModel):
    def __init__(self, loss="softmax"):
        super().__init__(loss)
        self.classifier = nn.Linear(2, 2)


def plain(num_classes, loss="softmax", pretrained=True, depth=3, **rest):
    CALLS.append({"num_classes": num_classes, "pretrained": pretrained, "depth": depth, **rest})
    return Net(loss)


def strict(num_classes, *, width):
    return nn.Linear(width, num_classes)


def asks_for_gpu(num_classes, use_gpu):
    CALLS.append({"use_gpu": use_gpu})
    return Net()


class Provider:
    @hookimpl
    def reid_register_models(self, registry):
        registry.add("plain", plain, options={"layers": "depth"})
        registry.add("strict", strict)
        registry.add("asks_for_gpu", asks_for_gpu)
        registry.add("no_model", lambda num_classes: "a string")


@pytest.fixture
def plugins():
    CALLS.clear()
    return make_plugins(entry_points=False, extra=[Provider()])


def test_a_factory_receives_the_standard_arguments_and_its_options(plugins):
    model = build_model("plain", 7, "triplet", False, plugins=plugins, layers=5, extra=1)
    assert CALLS == [{"num_classes": 7, "pretrained": False, "depth": 5, "extra": 1}]
    assert model.loss == "triplet"


def test_only_factories_that_ask_for_use_gpu_get_it(plugins):
    build_model("asks_for_gpu", 7, use_gpu=False, plugins=plugins)
    assert CALLS == [{"use_gpu": False}]


def test_current_plugins_are_the_default(plugins):
    with plugins:
        assert isinstance(build_model("plain", 3), Net)
        assert "plain" in show_avai_models()


def test_foreign_modules_come_adapted(plugins):
    model = build_model("strict", 3, "triplet", plugins=plugins, width=4)
    assert type(unwrap(model)) is nn.Linear
    assert model.loss == "triplet"


def test_unknown_options_are_refused_with_the_nearest(plugins):
    with pytest.raises(UnknownNameError, match=r"no option 'widht'.*Did you mean 'width'\?"):
        build_model("strict", 3, plugins=plugins, widht=4)


def test_missing_options_are_named(plugins):
    with pytest.raises(ConfigError, match=r"'strict'.*needs width"):
        build_model("strict", 3, plugins=plugins)


def test_standard_arguments_are_no_options(plugins):
    with pytest.raises(TypeError, match="num_classes"):
        build_model("plain", 3, plugins=plugins, num_classes=4)


def test_unknown_models_name_the_nearest(plugins):
    with pytest.raises(UnknownNameError, match="plain"):
        build_model("plian", 3, plugins=plugins)


def test_a_factory_must_return_a_module(plugins):
    with pytest.raises(PluginDefectError, match=r"gave a str; it must give a torch\.nn\.Module"):
        build_model("no_model", 3, plugins=plugins)


def test_the_list_of_models_is_printed_and_returned(plugins, capsys):
    names = show_avai_models(plugins)
    assert names == ["asks_for_gpu", "no_model", "plain", "strict"]
    assert capsys.readouterr().out == f"{names}\n"


@pytest.mark.parametrize("count", [0, -3])
def test_a_model_needs_an_identity_to_tell(plugins, count):
    with pytest.raises(ConfigError, match=f"cannot tell {count} identities.*expected 1 or more"):
        build_model("plain", count, plugins=plugins)


def test_only_factories_that_ask_for_the_images_size_get_it():
    sizes = []

    class Sized:
        @hookimpl
        def reid_register_models(self, registry):
            registry.add(
                "sized", lambda num_classes, image_size=None: sizes.append(image_size) or Net()
            )
            registry.add("plain", lambda num_classes: Net())

    with make_plugins(entry_points=False, extra=[Sized()]):
        for size in ((64, 32), None):
            for name in ("sized", "plain"):
                build_model(name, 3, image_size=size)
    assert sizes == [(64, 32), None]


def test_a_wrong_head_is_told_before_the_model_is_built(plugins):
    with pytest.raises(ConfigError, match=r"model\.head\.neck: expected 'bnneck', not 'bneck'"):
        build_model("plain", 3, head={"neck": "bneck"}, plugins=plugins)
    assert CALLS == []
