"""What is known about a dataset before it is read: its origin, its layout, its official size."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from reidcore._wording import one_of
from reidcore.errors import DataError, counted

if TYPE_CHECKING:
    from reidcore.data.table import SampleTable

Factory = TypeVar("Factory", bound=Callable[..., Any])


@dataclass(frozen=True)
class Archive:
    """A file in which a dataset is handed out.

    Attributes:
        filename: its name, looked for in the data root and in the dataset's own folder.
        unpacks_to: the folder it is unpacked into, relative to the data root.
        url: https address it may be fetched from; empty where it must be fetched by hand.
        sha256: its hash, if known.
    """

    filename: str
    unpacks_to: str
    url: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class OfficialCount:
    """How large a split is, by the dataset's authors.

    Attributes:
        split: ``train``, ``query`` or ``gallery``.
        ids: number of identities, or None where it is not known.
        images: number of images, or of tracklets.
        cameras: number of cameras, or None where it is not known.
        when: values of the dataset's options that the count is for; an option that is not given
            counts with its default.
    """

    split: str
    ids: int | None
    images: int | None
    cameras: int | None = None
    when: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DatasetCard:
    """A dataset's facts, read by messages, ``reidcore data`` and the documentation.

    Attributes:
        title: its name as its authors write it.
        folder: its folder below the data root.
        layout: the files and folders expected below the data root, as an indented tree.
        paper: authors, title, venue and year.
        source: page where it is described or handed out.
        licence: the terms of use, as far as they are known.
        protocol: what is searched for where, in a sentence or two.
        data_type: ``image`` or ``video``.
        junk_pids: test identities that are no person: never learnt from.
        combines: whether ``combineall`` adds its test images to the training images.
        combined_options: options that ``combineall`` sets where they are not given: what brings
            further pictures to learn from.
        pids_apart: whether the test identities are numbered by themselves, so that one number in
            train and test does not mean one person.
        camera_names: what its files call the cameras 0, 1, ...; empty if as their numbers.
        withdrawn: why its authors took it back; empty if they did not.
        archives: the files it is handed out in.
        counts: official sizes.
    """

    title: str
    folder: str
    layout: str
    paper: str
    source: str
    licence: str
    protocol: str
    data_type: str = "image"
    junk_pids: tuple[int, ...] = ()
    combines: bool = True
    combined_options: Mapping[str, Any] = field(default_factory=dict)
    pids_apart: bool = False
    camera_names: tuple[str, ...] = ()
    withdrawn: str = ""
    archives: tuple[Archive, ...] = ()
    counts: tuple[OfficialCount, ...] = ()


def described_by(card: DatasetCard) -> Callable[[Factory], Factory]:
    """Give a dataset's factory its card (a decorator)."""

    def attach(factory: Factory) -> Factory:
        factory.card = card  # type: ignore[attr-defined]
        return factory

    return attach


def card_of(factory: Callable[..., Any]) -> DatasetCard | None:
    """Return the card of a dataset's factory, if it has one."""
    card = getattr(factory, "card", None)
    return card if isinstance(card, DatasetCard) else None


def require(card: DatasetCard, *paths: Path) -> None:
    """Check that files and folders of a dataset exist.

    Raises:
        DataError: one does not; the message shows the layout that was expected.
    """
    missing = next((path for path in paths if not path.exists()), None)
    if missing is not None:
        archive = _packed(card, missing)
        how = f"Get it from {card.source}"
        if archive is not None:
            how += f"\n{str(archive)!r} is there: 'reidcore data prepare' unpacks it"
        raise DataError(
            f"{card.title} needs {str(missing)!r}, which does not exist",
            f"Expected below the data root (data.root):\n{card.layout}\n{how}",
        )


def _packed(card: DatasetCard, missing: Path) -> Path | None:
    """Return an archive of the dataset that lies in the data root or the folder, or None."""
    folder = next((above for above in missing.parents if above.name == card.folder), None)
    if folder is None:
        return None
    files = [place / a.filename for a in card.archives for place in (folder.parent, folder)]
    return next((file for file in files if file.is_file()), None)


@dataclass(frozen=True)
class Difference:
    """One figure that is not as it should be.

    Attributes:
        split: ``train``, ``query`` or ``gallery``.
        what: ``ids``, ``images``, ``tracklets`` or ``cameras``.
        found: the number found.
        official: the number its authors give.
    """

    split: str
    what: str
    found: int
    official: int

    def __str__(self) -> str:
        found = counted(self.found, one_of(self.what), self.what)
        return f"{self.split} has {found} ({self.official:,})"


def differences(
    factory: Callable[..., Any], tables: Sequence[SampleTable], options: Mapping[str, Any]
) -> list[Difference]:
    """Compare the tables of train, query and gallery with the official counts.

    Args:
        factory: The dataset's factory; one without a card has no official counts.
        tables: What it read.
        options: The options that it was called with, under their real names.
    """
    card = card_of(factory)
    if card is None:
        return []
    chosen = _defaults(factory) | dict(options)
    splits = dict(zip(("train", "query", "gallery"), tables, strict=True))
    return [
        difference
        for count in card.counts
        if _applies(count, chosen)
        for difference in _compared(count, splits[count.split], card)
    ]


def _compared(count: OfficialCount, table: SampleTable, card: DatasetCard) -> list[Difference]:
    found = table.counts
    figures = (
        ("ids", found.ids, count.ids),
        ("tracklets" if card.data_type == "video" else "images", found.images, count.images),
        ("cameras", found.cameras, count.cameras),
    )
    return [
        Difference(count.split, what, here, official)
        for what, here, official in figures
        if official is not None and here != official
    ]


def _applies(count: OfficialCount, chosen: Mapping[str, Any]) -> bool:
    return all(chosen.get(option) == value for option, value in count.when.items())


def _defaults(factory: Callable[..., Any]) -> dict[str, Any]:
    parameters = inspect.signature(factory).parameters.values()
    return {
        parameter.name: parameter.default
        for parameter in parameters
        if parameter.default is not inspect.Parameter.empty
    }
