"""Hooks that plugins publish, and what becomes of those who implement them."""

from __future__ import annotations

import pytest

from reidcore import hookimpl, hookspec
from reidcore.errors import PluginError
from reidcore.plugins import HOOK_NAMES, Plugins, current_plugins, make_plugins

GUEST = """
    from reidcore import hookimpl

    @hookimpl(optionalhook=True)
    def reid_shop_opened({arguments}):
        return "{name}"
"""
SHOP = """
    from reidcore import hookimpl, hookspec

    @hookimpl
    def reid_add_hookspecs(plugins):
        plugins.add_hookspecs(Hooks)

    class Hooks:
        @hookspec
        def reid_shop_opened(self, shop, hour):
            pass
"""


class Hooks:
    @hookspec(firstresult=True)
    def reid_first_of_the_shop(self, shop):
        """Ask for the first answer."""


class Shop:
    def __init__(self, *namespaces: object) -> None:
        self.namespaces = namespaces

    @hookimpl
    def reid_add_hookspecs(self, plugins) -> None:
        for namespace in self.namespaces:
            plugins.add_hookspecs(namespace)


def broken(plugins: Plugins) -> dict[str, str]:
    return {plugin.name: str(plugin.error) for plugin in plugins.broken}


def test_reid_add_hookspecs() -> None:
    class Guest:
        def __init__(self, answer: str | None) -> None:
            self.answer = answer

        @hookimpl(optionalhook=True)
        def reid_first_of_the_shop(self) -> str | None:
            return self.answer

    plugins = make_plugins(
        entry_points=False, extra=[Guest("early"), Shop(Hooks), Guest("late"), Guest(None)]
    )
    assert plugins.hook_names == [*HOOK_NAMES, "reid_first_of_the_shop"]
    assert plugins.published["reid_first_of_the_shop"].name == "Shop"
    with plugins:
        assert current_plugins().hook.reid_first_of_the_shop(shop="corner") == "late"
    assert "reid_first_of_the_shop" not in make_plugins(entry_points=False).hook_names


def test_guests_may_be_loaded_before_the_shop_and_live_without_it(site) -> None:
    site.install_module("a-guest", GUEST.format(arguments="shop", name="a"))
    alone = make_plugins()
    assert not alone.broken
    site.install_module("m-shop", SHOP)
    site.install_module("z-guest", GUEST.format(arguments="", name="z"))
    plugins = make_plugins()
    assert plugins.hook.reid_shop_opened(shop="corner", hour=9) == ["z", "a"]
    assert plugins.get("a_guest").hooks == ("reid_shop_opened",)


def test_a_guest_that_asks_for_what_a_hook_has_not_is_left_out_alone(site) -> None:
    site.install_module("a-guest", GUEST.format(arguments="price", name="a"))
    site.install_module("m-shop", SHOP)
    site.install_module("z-guest", GUEST.format(arguments="hour", name="z"))
    plugins = make_plugins()
    assert set(broken(plugins)) == {"a_guest"}
    assert "price" in broken(plugins)["a_guest"]
    assert plugins.hook.reid_shop_opened(shop="corner", hour=9) == ["z"]


def test_a_guest_without_its_mark_is_told(site) -> None:
    site.install_module("a-guest", "def reid_shop_opened(shop):\n        pass\n")
    site.install_module("m-shop", SHOP)
    assert "reid_shop_opened lacks its mark" in broken(make_plugins())["a_guest"]


@pytest.mark.parametrize(
    ("namespaces", "message"),
    [
        ([object()], "has no hooks: mark them @hookspec"),
        ([type("Bad", (), {"opened": hookspec(lambda shop: None)})], "does not begin with 'reid_'"),
        (
            [type("Bad", (), {"reid_run_start": hookspec(lambda engine: None)})],
            "there is a hook 'reid_run_start' already, of reidcore itself",
        ),
        ([Hooks, Hooks], "there is a hook 'reid_first_of_the_shop' already, of plugin 'Shop'"),
    ],
)
def test_hooks_that_cannot_be_are_told(namespaces, message) -> None:
    with pytest.raises(PluginError, match=message):
        make_plugins(entry_points=False, extra=[Shop(*namespaces)])


def test_an_installed_plugin_whose_hooks_cannot_be_is_left_out(site) -> None:
    site.install_module("m-shop", SHOP)
    site.install_module("n-shop", SHOP)
    plugins = make_plugins()
    assert broken(plugins) == {
        "n_shop": "there is a hook 'reid_shop_opened' already, of plugin 'm_shop' (m-shop)"
    }
    assert plugins.published["reid_shop_opened"].name == "m_shop"
