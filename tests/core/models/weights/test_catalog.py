"""Rows of published weights: what they may say, and what is told of those that are no good."""

from __future__ import annotations

import pytest

from reidcore import hookimpl
from reidcore.errors import PluginDefectError, PluginError, UserError
from reidcore.models.weights import find_published, published_weights
from reidcore.plugins import make_plugins


@pytest.fixture
def shop(site):
    """Return plugins that publish a table with the given text."""

    def make(text):
        site.write("shop_of_rows.empty", "")
        (site.folder / "shop_of_rows" / "weights.yaml").write_text(text)

        class Shop:
            @hookimpl
            def reid_register_weights(self, registry):
                registry.table("shop_of_rows:weights.yaml")

        return make_plugins(extra=[Shop()])

    return make


def test_the_rows_of_all_bundled_plugins_are_good():
    listed = published_weights(make_plugins())
    assert len(listed) >= 9
    for entry, weights in listed:
        assert weights.filename, entry.name
        assert weights.licence, entry.name
        assert weights.origin, entry.name
        weights.key_map()


def test_torchvision_tells_address_and_hash_of_its_own(shop):
    plugins = shop("ours: {torchvision: ResNet18_Weights.IMAGENET1K_V1, licence: BSD-3-Clause}")
    weights = find_published("ours", plugins)
    assert weights.filename == "resnet18-f37072fd.pth"
    assert weights.url == "https://download.pytorch.org/models/resnet18-f37072fd.pth"
    assert weights.sha256 == "f37072fd"


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("{filename: a/b.pth}", "filename: Value error, a file's name, without folders"),
        ("{filename: b.pth, url: 'ftp://x/b.pth'}", "url: Value error, an https address"),
        ("{filename: b.pth, sha256: xyz}", "sha256: "),
        ("{filename: b.pth, sha265: ab}", "sha265: Extra inputs"),
        ("{filename: 3}", "filename: Input should be a valid string"),
        ("{url: 'https://x/b.pth'}", "a row needs filename, or torchvision"),
        ("{torchvision: A.B, filename: b.pth}", "leave them out"),
        ("{filename: b.pth, keys: renamed}", "keys: "),
    ],
)
def test_a_bad_row_is_told_with_its_file_and_its_name(row, told, shop):
    plugins = shop(f"fine: {{filename: fine.pth}}\nodd: {row}\n")
    assert find_published("fine", plugins).filename == "fine.pth"
    with pytest.raises(PluginDefectError) as caught:
        find_published("odd", plugins)
    assert "shop_of_rows:weights.yaml: the row of weights 'odd' of plugin 'Shop'" in str(
        caught.value
    )
    assert told in str(caught.value)


def test_weights_that_torchvision_lacks_are_named(shop):
    plugins = shop("ours: {torchvision: ResNet18_Weights.MOON}")
    with pytest.raises(UserError, match=r"no weights 'ResNet18_Weights\.MOON', which 'ours'"):
        find_published("ours", plugins)


def test_a_key_map_that_cannot_be_loaded_is_named(shop):
    weights = find_published("ours", shop("ours: {filename: a.pth, keys: 'nowhere:renamed'}"))
    told = "weights 'ours' of plugin 'Shop' name their key map 'nowhere:renamed'"
    with pytest.raises(PluginDefectError, match=told):
        weights.key_map()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: {filename: a.pth}\na: {filename: b.pth}\n", "two rows named 'a'"),
        ("- a\n- b\n", "holds no table"),
        ("a: b.pth\n", "'a' has no row"),
        ("a: [\n", "line 2"),
        ("a: !!python/object:os.system {}\n", "constructor"),
    ],
)
def test_a_bad_table_is_told_with_its_file(text, told, shop):
    with pytest.raises(PluginError) as caught:
        find_published("a", shop(text))
    assert "shop_of_rows:weights.yaml" in str(caught.value)
    assert told in str(caught.value)
