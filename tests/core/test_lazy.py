from __future__ import annotations

import subprocess
import sys

import pytest

from reidcore._lazy import load_target

PACKAGE = """
    from typing import TYPE_CHECKING

    from reidcore._lazy import attach

    if TYPE_CHECKING:
        from lazy_shop.heavy import Heavy, gone
        from lazy_shop.heavy import Heavy as Weighty

    __getattr__, __dir__ = attach(__name__)
    here = 1
"""
HEAVY = """
    class Heavy:
        class Inner:
            depth = 2
"""


@pytest.fixture
def shop(site):
    site.write("lazy_shop.heavy", HEAVY)
    (site.folder / "lazy_shop" / "__init__.py").write_text(
        "\n".join(line[4:] for line in PACKAGE.splitlines())
    )
    import lazy_shop

    return lazy_shop


def test_a_target_may_be_nested_or_a_whole_module(shop) -> None:
    assert load_target("lazy_shop.heavy:Heavy.Inner.depth") == 2
    assert load_target("lazy_shop.heavy").__name__ == "lazy_shop.heavy"


def test_a_target_may_be_a_module_of_a_package_that_does_not_import_it(shop) -> None:
    assert "lazy_shop.heavy" not in sys.modules
    assert load_target("lazy_shop:heavy").Heavy.Inner.depth == 2


def test_names_are_imported_at_first_use_and_kept(shop) -> None:
    assert "lazy_shop.heavy" not in sys.modules
    assert "Heavy" not in vars(shop)
    first = shop.Heavy
    assert vars(shop)["Heavy"] is first
    assert first is sys.modules["lazy_shop.heavy"].Heavy
    assert shop.Weighty is first


def test_dir_lists_the_lazy_names_without_importing_them(shop) -> None:
    assert {"Heavy", "Weighty", "gone", "here"} <= set(dir(shop))
    assert "lazy_shop.heavy" not in sys.modules


def test_an_unknown_name_is_an_attribute_error_that_names_the_module(shop) -> None:
    with pytest.raises(AttributeError, match=r"'lazy_shop' has no attribute 'Heavier'"):
        _ = shop.Heavier
    assert not hasattr(shop, "Heavier")


def test_a_target_that_is_gone_is_an_attribute_error_too(shop) -> None:
    with pytest.raises(AttributeError, match="gone"):
        _ = shop.gone


def test_the_package_and_what_plugins_import_at_their_top_load_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "import reidcore\n"
        "from reidcore import hookimpl, data, models, losses, utils\n"
        "import reidcore.config, reidcore.plugins, reidcore.registry, reidcore.testing\n"
        "print(sorted({'torch', 'numpy', 'yaml', 'pydantic', 'rich'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
