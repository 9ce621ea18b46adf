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
from reidcore.errors import CheckpointError

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
        if self.origin is None:
            return f"{self.key} is {self.value!r}, as in the checkpoint"
        return f"{self.key} is {self.value!r} ({self.origin}), in the checkpoint {self.recorded!r}"


@dataclass(frozen=True)
class RecordedValues:
    """Values of a configuration that a checkpoint brings into a run.

    Attributes:
        checkpoint: its path.
        values: nested, in plain values.
        are_over_recipes: whether they go before a recipe's as well, and not only before defaults.
    """

    checkpoint: str
    values: Tree
    are_over_recipes: bool = True

    def for_plugins(self, plugins: Plugins) -> RecordedValues:
        """Return the values without the settings of plugins that are not active."""
        active = {plugin.name for plugin in plugins.active}
        settings = {k: v for k, v in self.values.get("settings", {}).items() if k in active}
        return replace(self, values={**self.values, "settings": settings})

    def under(self, draft: Draft) -> Draft:
        """Return a draft with these values below what was written for this run."""
        given, written = draft.layer, [p for p, o in draft.layer.origins.items() if o.is_written]
        recorded = Layer.of(self.values, Origin("checkpoint", f"checkpoint {self.checkpoint}"))
        for path in [path for path in recorded.origins if _is_replaced(path, given, self.values)]:
            del recorded.origins[path]
        recipe = Layer()
        for path in [path for path in given.origins if path not in written]:
            if not (self.are_over_recipes and _is_whole_in(recorded, path)):
                recipe.set(path, at(given.tree, path), given.origins[path])
        merged = Layer()
        for layer in (recipe, recorded) if self.are_over_recipes else (recorded, recipe):
            merged.update(layer)
        for path in written:
            merged.set(path, at(given.tree, path), given.origins[path])
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


def _is_replaced(path: Path, given: Layer, recorded: Tree) -> bool:
    """Say whether what was written for this run takes the place of a recorded value as a whole."""

    def writes(*place: str) -> Origin | None:
        origin = given.origins.get(place)
        return origin if origin is not None and origin.is_written else None

    if path[:1] == ("loss",) and path[1:2] in (("name",), ("terms",)):
        terms = [o for known, o in given.origins.items() if known[:2] == ("loss", "terms")]
        # A single term may be written over the recorded ones; a list of terms in a file may not.
        anew = any(origin.is_written and origin.kind != "override" for origin in terms)
        return anew or (writes("loss", "name") is not None and not terms)
    if path[:1] == ("model",) and writes("model", "name"):
        return bool(at(given.tree, ("model", "name")) != recorded["model"].get("name"))
    if path[:2] == ("model", "head") and path[2] not in HeadOptions.model_fields:
        return any(writes("model", "head", key) for key in ("pool", "classifier"))
    return False


def _is_whole_in(recorded: Layer, path: Path) -> bool:
    """Say whether a recipe's key belongs to what a checkpoint records as a whole."""
    return path not in _OF_THIS_RUN and any(
        path[: len(whole)] == whole and recorded.origin(whole) is not None for whole in _WHOLE
    )


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield dotted keys with their values; the terms of a loss are one value."""
    for name, value in tree.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping) and value and key != "loss.terms":
            yield from _leaves(value, f"{key}.")
        else:
            yield key, value
