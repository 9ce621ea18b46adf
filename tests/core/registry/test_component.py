from __future__ import annotations

from typing import Any

import pytest

from reidcore import hookimpl
from reidcore.errors import ConfigError, PluginDefectError, UnknownNameError, UnknownOptionError
from reidcore.plugins import make_plugins
from reidcore.registry import Chooser, Component, Entry
from reidcore.registry.component import read_options


def net(num_classes, loss="softmax", *, width: float, depth: int = 2):
    return locals()


ENTRY = Entry("models", "net", net, "mine", options={"layers": "depth"})


def test_options_come_under_their_real_names_and_only_those_that_are_given():
    assert read_options(ENTRY, {"width": 2, "layers": 3}) == {"width": 2.0, "depth": 3}
    assert read_options(ENTRY, {"width": 2}) == {"width": 2.0}


def test_of_two_spellings_the_later_one_counts():
    assert read_options(ENTRY, {"width": 1, "layers": 3, "depth": 4})["depth"] == 4
    assert read_options(ENTRY, {"width": 1, "depth": 4, "layers": 3})["depth"] == 3


@pytest.mark.parametrize(
    ("given", "kind", "message"),
    [
        ({"widht": 1}, UnknownOptionError, r"model 'net' of plugin 'mine' has no option 'widht'"),
        ({"widht": 1}, UnknownNameError, r"needs width\. Did you mean 'width'\? Its op"),
        ({}, ConfigError, r"model 'net' of plugin 'mine' needs width\. Give it in the model's sec"),
        ({"width": "x"}, ConfigError, r"cannot take width: expected a number, not 'x'"),
        ({"width": 1, "layers": "x"}, ConfigError, r"cannot take layers: expected a whole number"),
        ({"width": 1, "loss": "x"}, ConfigError, r"no option 'loss'\. The core gives 'loss' itse"),
    ],
)
def test_mistakes_name_the_component_and_the_option(
    given: dict[str, Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        read_options(ENTRY, given)


def test_a_factory_gets_what_it_has_a_name_for():
    made = Component(ENTRY, {"width": 1.0}).make(num_classes=5, loss="triplet", use_gpu=True)
    assert made == {"num_classes": 5, "loss": "triplet", "width": 1.0, "depth": 2}


def test_a_factory_may_call_the_first_arguments_otherwise():
    def order(data_source, size, random_state, *, num_instances=4):
        return data_source, size, random_state, num_instances

    component = Component(Entry("samplers", "order", order, "mine"), {"num_instances": 2})
    assert component.make(table="t", batch_size=8, seed=1) == ("t", 8, 1, 2)


class Brings:
    @hookimpl
    def reid_register_models(self, registry):
        registry.add("net", net, aliases=("network",))


def test_a_factory_that_cannot_be_called_so_is_its_plugins_mistake():
    class Takes:
        """No arguments: Python raises before any line of it runs."""

    def raises(num_classes):
        return Takes(num_classes)

    told = r"loss 'short' of plugin 'mine' cannot be made with num_classes: .*Takes\(\) takes no "
    with pytest.raises(PluginDefectError, match=told):
        Component(Entry("losses", "short", Takes, "mine")).make(num_classes=2)
    with pytest.raises(TypeError, match="takes no"):
        Component(Entry("losses", "short", raises, "mine")).make(num_classes=2)


def test_a_programs_options_are_shared_out_to_those_that_declare_them():
    plugins = make_plugins(entry_points=False, extra=[Brings()])
    choose = Chooser(plugins, {"net": {"width": 3}}, {"models": {"depth": 5, "height": 1}})
    assert choose("models", "net").options == {"depth": 5, "width": 3.0}
    with pytest.raises(ConfigError, match=r"the options of model 'net' are 3\. Give a mapping"):
        Chooser(plugins, {"net": 3})("models", "net")


@pytest.mark.parametrize("section", ["net", "network"])
@pytest.mark.parametrize("name", ["net", "network"])
def test_a_section_counts_under_whichever_name_the_component_was_chosen_by(name, section):
    plugins = make_plugins(entry_points=False, extra=[Brings()])
    choose = Chooser(plugins, {section: {"width": 3}})
    assert choose("models", name).options == {"width": 3.0}
