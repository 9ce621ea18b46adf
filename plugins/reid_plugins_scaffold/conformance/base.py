"""What holds for components of every kind, and what the checks of all kinds share."""

from __future__ import annotations

import atexit
import copy
import pickle
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any, ClassVar, TypeVar

import torch
from torch import Tensor

from reid_plugins_scaffold.conformance.contract import (
    PAGE,
    Broken,
    BrokenContractError,
    Contract,
    contract,
)
from reidcore.errors import UserError
from reidcore.plugins import Plugins
from reidcore.registry import Component, Entry, choose, find
from reidcore.testing import make_plugins

T = TypeVar("T")


class Conformance:
    """Base of the conformance classes; a test subclasses the one of its kind.

    The methods ``test_*`` are the checks, which pytest finds by themselves::

        class TestCenterLoss(LossConformance):
            plugins = (reid_center,)
            name = "center"
            options = {"normalize": True}

    They need no pytest: ``reidcore plugins check`` runs them without.

    Attributes:
        kind: of the components that the class is for.
        plugins: those under test, as `make_plugins` takes them, beside the bundled ones.
        name: the component.
        options: what it is made with, where its defaults are not meant.
        kept: what its checks share, see `once`.
    """

    kind: ClassVar[str] = ""
    plugins: ClassVar[Sequence[Any]] = ()
    name: ClassVar[str] = ""
    options: ClassVar[Mapping[str, Any]] = {}
    kept: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.kept = {}

    def setup_method(self) -> None:
        """Find the component, so that a wrong name is told as such; pytest calls it."""
        self._temporary: TemporaryDirectory[str] | None = None
        _ = self.subject

    def teardown_method(self) -> None:
        """Remove what the check wrote."""
        if self._temporary is not None:
            self._temporary.cleanup()

    @property
    def folder(self) -> Path:
        """An empty folder for this check alone."""
        if self._temporary is None:
            self._temporary = TemporaryDirectory(prefix="reidcore-check-")
        return Path(self._temporary.name)

    @property
    def plugin_set(self) -> Plugins:
        """The bundled plugins and those under test."""
        return self.once("plugins", lambda: make_plugins(*self.plugins))

    @property
    def entry(self) -> Entry:
        """The component as its plugin registered it."""
        return self.once("entry", lambda: find(self.kind, self.name, self.plugin_set))

    @property
    def qualified(self) -> str:
        """The component's name, of whatever plugin another one of that name is."""
        return self.entry.qualified_name

    @property
    def subject(self) -> str:
        """The component and its plugin, for messages."""
        return self.entry.origin

    @property
    def missing(self) -> Sequence[str]:
        """Options that it cannot be made without, and that are not given."""
        return ()

    def kept_folder(self) -> Path:
        """Return a folder that all checks of the class share, gone when the program ends."""
        return self.once("folder", _folder_until_exit)

    def once(self, what: str, make: Callable[[], T]) -> T:
        """Return something that the checks of a class share; it is made for the first of them."""
        if what not in self.kept:
            self.kept[what] = make()
        made: T = self.kept[what]
        return made

    def broken(self, found: str, kept: Contract) -> BrokenContractError:
        """Return the error that a broken contract is."""
        return BrokenContractError(self.subject, found, kept, f"{PAGE}#{anchor_of(type(self))}")

    @contract(
        "It is listed with what it is, in one line.",
        'Give it a summary: registry.add(name, target, summary="one line").',
    )
    def test_it_says_what_it_is(self) -> None:
        """The summary is a line."""
        summary = self.entry.summary
        if not summary.strip() or "\n" in summary:
            raise Broken(f"has the summary {summary!r}")


class FactoryConformance(Conformance):
    """Base of those of components that are made with options."""

    @property
    def component(self) -> Component:
        """The component with its options, checked."""
        return self.once(
            "component", lambda: choose(self.kind, self.qualified, self.options, self.plugin_set)
        )

    @property
    def missing(self) -> Sequence[str]:
        """Options that it cannot be made without, and that are not given."""
        fields = self.entry.options_model().model_fields.items()
        required = [name for name, field in fields if field.is_required()]
        return [name for name in required if name not in self.options]

    @contract(
        "Each option has a default of its own type, so that what a configuration shows can be "
        "written back.",
        "Annotate the option with a type that its default has, such as int | None = None.",
    )
    def test_its_defaults_have_the_types_of_its_options(self) -> None:
        """A section with all defaults written out is the empty section."""
        fields = self.entry.options_model().model_fields
        for name, field in fields.items():
            if field.is_required() or type(field.default) not in (bool, int, float, str):
                continue
            try:
                given = {**self.options, name: field.default}
                choose(self.kind, self.qualified, given, self.plugin_set)
            except UserError as error:
                raise Broken(f"has a default that it refuses: {error}") from error


def _folder_until_exit() -> Path:
    path = mkdtemp(prefix="reidcore-check-")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return Path(path)


def anchor_of(kind: type[Conformance]) -> str:
    """Return the place of a class on the page of contracts."""
    return heading_of(kind).lower()


def heading_of(kind: type[Conformance]) -> str:
    """Return the name of a kind on the page of contracts."""
    return {"configs": "Recipes", "": "Commands"}.get(kind.kind, kind.kind.capitalize())


def checks_of(kind: type[Conformance]) -> Iterator[str]:
    """Yield the names of a class's checks, those of its bases first."""
    names = (name for base in reversed(kind.__mro__) for name in vars(base))
    yield from dict.fromkeys(name for name in names if name.startswith("test_"))


def require_finite(what: str, values: Tensor) -> None:
    """Refuse numbers that are NaN or infinite."""
    if not bool(torch.isfinite(values).all()):
        raise Broken(f"gave {what} that are not finite")


def require_shape(what: str, values: Any, *wanted: int | str) -> None:
    """Refuse what is no tensor of a shape; a letter stands for any size."""
    shape = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
    fits = isinstance(shape, tuple) and len(shape) == len(wanted)
    if not fits or any(
        isinstance(size, int) and size != found for size, found in zip(wanted, shape, strict=True)
    ):
        sizes = ", ".join(map(str, wanted))
        raise Broken(f"gave {what} {shape}, where ({sizes}) is wanted")


def require_equal(what: str, first: Tensor, again: Tensor, tolerance: float = 0.0) -> None:
    """Refuse numbers that differ."""
    if first.shape != again.shape:
        raise Broken(f"gave {what}: {tuple(first.shape)}, then {tuple(again.shape)}")
    apart = float((first.detach().double() - again.detach().double()).abs().max())
    if not apart <= tolerance:
        raise Broken(f"gave {what} that differ by up to {apart:.3g}")


def copies_of(made: T) -> Iterator[tuple[str, T]]:
    """Yield a deep copy, and what a worker process gets."""
    for how, copied in (("copied", copy.deepcopy), ("pickled", _pickled)):
        try:
            yield how, copied(made)
        except Exception as error:
            raise Broken(
                f"cannot be {how} ({type(error).__name__}: {error}); it is a "
                f"{type(made).__module__}.{type(made).__qualname__}"
            ) from error


def _pickled(made: T) -> T:
    copied: T = pickle.loads(pickle.dumps(made))
    return copied
