"""What recipes and tables of weights hold."""

from __future__ import annotations

from reid_plugins_scaffold.conformance.base import Conformance
from reid_plugins_scaffold.conformance.contract import Broken, contract
from reidcore.config import load_config, read_config, resolved
from reidcore.models import find_published


class RecipeConformance(Conformance):
    """Checks of recipes, which the registry calls configs."""

    kind = "configs"

    @contract(
        "It is a configuration that reidcore run takes as it is: every key, value and name is "
        "known.",
        "Run: reidcore run NAME --print-config. It tells every mistake with its line.",
    )
    def test_it_is_a_configuration(self) -> None:
        """Read and checked."""
        load_config(self.qualified, plugins=self.plugin_set)

    @contract(
        "What it resolves to, with all defaults, is the same configuration.",
        "Leave out keys that have no meaning beside others.",
    )
    def test_it_is_read_again(self) -> None:
        """As a checkpoint records it."""
        config = load_config(self.qualified, plugins=self.plugin_set)
        again = load_config(config.model_dump(mode="json"), plugins=self.plugin_set)
        if resolved(again, self.plugin_set) != resolved(config, self.plugin_set):
            raise Broken("resolves to something else when it is read again")

    @contract(
        "It says nothing about the machine it was written on.",
        "Leave use_gpu, data.root, data.workers and data.save_dir's folders to the user.",
    )
    def test_it_names_no_machine(self) -> None:
        """No absolute paths."""
        given = read_config(self.qualified, plugins=self.plugin_set)
        for key in ("root", "save_dir"):
            path = str(getattr(given.config.data, key, ""))
            if path.startswith(("/", "~")) or path[1:2] == ":":
                raise Broken(f"has the path {path!r} in data.{key}")


class WeightsConformance(Conformance):
    """Checks of rows in tables of published weights. Nothing is downloaded."""

    kind = "weights"

    @contract(
        "The row says where the file is, who published it under which licence, and its hash.",
        "Give url (or torchvision), origin, licence and sha256.",
    )
    def test_the_row_says_where_it_is_from(self) -> None:
        """Origin, licence and address."""
        row = find_published(self.entry.qualified_name, self.plugin_set)
        missing = [key for key in ("origin", "licence") if not getattr(row, key)]
        if missing:
            raise Broken(f"has no {' and no '.join(missing)}")
        if row.url and not row.url.startswith("https://"):
            raise Broken(f"is fetched from {row.url!r}, which is no https address")

    @contract(
        "Its keys are turned into the model's by a function that is there.",
        "Write keys as 'module:function' of your package.",
    )
    def test_its_key_map_is_there(self) -> None:
        """The function is imported."""
        renamed = find_published(self.entry.qualified_name, self.plugin_set).key_map()
        if not isinstance(renamed("conv1.weight"), str | None):
            raise Broken("has a key map that gives no key")
