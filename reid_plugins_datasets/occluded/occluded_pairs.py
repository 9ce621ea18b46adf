"""Small test sets of hidden or cut off people: a folder of queries, a folder of whole people.

Their names hold a person and the number of a picture, and no camera. Queries count as seen by
camera 0 and the gallery by camera 1, so that every true match counts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from reid_plugins_datasets.reading.listing import list_folders
from reid_plugins_datasets.reading.names import NameForm
from reid_plugins_datasets.reading.pictures import read_pictures
from reidcore.data import IMAGE_EXTENSIONS, DatasetCard, Sample, Splits, require
from reidcore.errors import DataError

QUERY_CAMERA, GALLERY_CAMERA = 0, 1

_PICTURES = NameForm(re.compile(r"(?P<pid>\d+)_\d+\.\w+"), "005_01.jpg: person 5, picture 1")


def read_pairs(card: DatasetCard, root: Path, places: Sequence[tuple[str, str]]) -> Splits:
    """Read the first of the places that exists.

    Args:
        card: the dataset's card.
        root: the data root.
        places: folder of queries and folder of the gallery below the root, for each known copy.

    Raises:
        DataError: none exists, a folder has no picture, or a picture has another name.
    """
    pairs = [(root / query, root / gallery) for query, gallery in places]
    query, gallery = next((pair for pair in pairs if pair[0].parent.is_dir()), pairs[0])
    require(card, query, gallery)
    return Splits([], _read(query, QUERY_CAMERA), _read(gallery, GALLERY_CAMERA))


def _read(folder: Path, camid: int) -> list[Sample]:
    """Read a folder and the folders of persons that some copies have in it."""
    places = [str(folder), *(person.path for person in list_folders(folder))]
    samples = [
        Sample(path, int(match["pid"]), camid)
        for place in places
        for match, path in read_pictures(place, _PICTURES, IMAGE_EXTENSIONS, tell_deeper=False)
    ]
    if not samples:
        raise DataError(f"no picture lies in {str(folder)!r}", "Unpack the dataset again")
    return samples
