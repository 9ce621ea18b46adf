"""What a checkpoint records of a configuration, between what was written and what was not.

Values that somebody wrote for this run (in a file of one's own, as flags or overrides) go before
the checkpoint's; the checkpoint's go before recipes and defaults.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from reidcore._validation import at
from reidcore.config.dump import resolved
from reidcore.config.layers import Layer, Origin, Path, Tree
from reidcore.config.loader import Draft
from reidcore.config.options import HeadOptions
from reidcore.config.schema import Config
from reidcore.errors import CheckpointError, quoted
from reidcore.registry import find
from reidcore.registry.lookup import is_registered

if TYPE_CHECKING:
    from reidcore.plugins import Plugins

# Places whose keys make sense together only: they are a recipe's or the checkpoint's, never both.
_WHOLE = (("model",), ("loss", "name"), ("loss", "terms"))
# These say where this run gets its weights from.
_OF_THIS_RUN = (("model", "load_weights"), ("model", "resume"), ("model", "pretrained"))
# Keys whose values change no result.
_WITHOUT_EFFECT = ("data.root", "data.save_dir")
# Without these the state in a checkpoint means nothing.
_MEANING = ("model.name", "model.head", "data.type", "data.sources")


@dataclass(frozen=True)
class Difference:
    """A key whose value is not the same in a run and in a checkpoint, or would not have been.

    Attributes:
        key: dotted.
        value: what acts in this run.
        recorded: the checkpoint's.
        origin: where the value was written; None if it is the checkpoint's.
    """

    key: str
    value: Any
    recorded: Any
    origin: Origin | None

    def __str__(self) -> str:
        acting = f"{self.key} is {quoted(self.value)}"
        if self.origin is None:
            return f"{acting}, as in the checkpoint"
        return f"{acting} ({self.origin}), in the checkpoint {quoted(self.recorded)}"


@dataclass(frozen=True)
class RecordedValues:
    """Values of a configuration that a checkpoint brings into a run.

    Attributes:
        checkpoint: its path.
        values: nested, in plain values.
        are_over_recipes: whether they go before a recipe's as well; if not, a recipe's values count
            as written.
    """

    checkpoint: str
    values: Tree
    are_over_recipes: bool = True

    def for_plugins(self, plugins: Plugins, draft: Draft) -> RecordedValues:
        """Return the values without settings of plugins that are not active.

        The model has the name by which the run knows it, where that is another name of the same.
        """
        active = {plugin.name for plugin in plugins.active}
        settings = {k: v for k, v in self.values.get("settings", {}).items() if k in active}
        values, name = {**self.values, "settings": settings}, draft.config.model.name
        model = values.get("model", {})
        is_known = is_registered("models", name, plugins)
        if is_known and model.get("name") in find("models", name, plugins).names:
            values["model"] = {**model, "name": name}
        return replace(self, values=values)

    def under(self, draft: Draft) -> Draft:
        """Return a draft with these values below what was written for this run."""
        written, recipe = _written(draft.layer, or_a_recipe=not self.are_over_recipes)
        recorded = Layer.of(self.values, Origin("checkpoint", f"checkpoint {self.checkpoint}"))
        for path in [path for path in recorded.origins if _is_replaced(path, written, self.values)]:
            del recorded.origins[path]
        for path in [path for path in recipe.origins if _is_whole_in(recorded, path)]:
            del recipe.origins[path]
        merged = Layer()
        for layer in (recipe, recorded, written):
            merged.update(layer)
        return Draft(merged)

    def differences(
        self, draft: Draft, config: Config, plugins: Plugins | None = None
    ) -> Iterator[Difference]:
        """Yield the keys whose values were written otherwise, or come from the checkpoint alone.

        Args:
            draft: what was given without the checkpoint.
            config: what became of it.
            plugins: whose components' defaults count.
        """
        alone = dict(_leaves(resolved(draft.config, plugins)))
        acting = dict(_leaves(resolved(config, plugins)))
        for key, recorded in _leaves(self.values):
            value, origin = acting.get(key, recorded), draft.layer.origin(tuple(key.split(".")))
            is_written = origin is not None and origin.is_written
            if value != recorded and is_written and key not in _WITHOUT_EFFECT:
                yield Difference(key, value, recorded, origin)
            elif value == recorded != alone.get(key, recorded):
                yield Difference(key, value, recorded, None)

    def refuse_another_meaning(self, differences: list[Difference]) -> None:
        """Refuse to go on with a model, a head or data that the checkpoint's state is not of.

        Raises:
            CheckpointError: naming the keys.
        """
        other = [
            each
            for each in differences
            if each.origin is not None
            and any(each.key == key or each.key.startswith(f"{key}.") for key in _MEANING)
            and each.key != "model.head.dropout"
        ]
        if other:
            raise CheckpointError(
                f"{self.checkpoint!r} cannot be resumed: " + "; ".join(map(str, other)),
                f"Leave out {' and '.join(each.key for each in other)}, or begin a training anew "
                f"from its weights: model.load_weights={self.checkpoint}",
            )


def _written(given: Layer, or_a_recipe: bool) -> tuple[Layer, Layer]:
    """Part what goes before a checkpoint's values from what comes after them."""
    before, after = Layer(), Layer()
    for path, origin in given.origins.items():
        part = before if origin.is_written or or_a_recipe else after
        part.set(path, at(given.tree, path), origin)
    return before, after


def _is_replaced(path: Path, written: Layer, recorded: Tree) -> bool:
    """Say whether what was written takes the place of a recorded value as a whole."""
    if path[:1] == ("loss",) and path[1:2] in (("name",), ("terms",)):
        terms = [o for known, o in written.origins.items() if known[:2] == ("loss", "terms")]
        # A single term may be written over the recorded ones; a list of terms in a file may not.
        anew = any(origin.kind != "override" for origin in terms)
        return anew or (("loss", "name") in written.origins and not terms)
    if path[:2] == ("data", "datasets"):  # each is of one kind
        return any(known[:3] == path[:3] for known in written.origins)
    if path[:1] == ("model",) and ("model", "name") in written.origins:
        is_other = written.tree["model"]["name"] != recorded["model"].get("name")
        if is_other:
            return True
    if path[:2] == ("model", "head") and path[-1] not in HeadOptions.model_fields:
        return any(("model", "head", key) in written.origins for key in ("pool", "classifier"))
    return False


def _is_whole_in(recorded: Layer, path: Path) -> bool:
    """Say whether a recipe's key belongs to what a checkpoint records as a whole."""
    return path not in _OF_THIS_RUN and any(
        path[: len(whole)] == whole and recorded.origin(whole) is not None for whole in _WHOLE
    )


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield dotted keys with their values; a loss's terms are one value, and a named dataset."""
    for name, value in tree.items():
        key = f"{prefix}{name}"
        is_whole = key == "loss.terms" or prefix == "data.datasets."
        if isinstance(value, Mapping) and value and not is_whole:
            yield from _leaves(value, f"{key}.")
        else:
            yield key, value
