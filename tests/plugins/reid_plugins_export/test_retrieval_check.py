"""The mAP of an exported model beside PyTorch's, with the interval that decides."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from reid_plugins_export.dataset import Dataset, DatasetChoice, read_dataset
from reid_plugins_export.retrieval_check import check_retrieval, require_no_loss

from reidcore.data import SampleTable
from reidcore.errors import DataError, UserError
from reidcore.evaluation import Market1501
from reidcore.inference import ExtractedBatch

IDS = 30


def table(camid, where):
    rows = [(f"/{where}/{pid}.jpg", pid, camid) for pid in range(IDS)]
    return SampleTable.of(rows)


@pytest.fixture
def dataset():
    return Dataset(
        "toy", SampleTable.of([]), table(0, "q"), table(1, "g"), Market1501(), "market1501"
    )


class Extractor:
    """Gives each identity its own direction, with some noise."""

    def __init__(self, noise, unreadable=()) -> None:
        self.noise, self.unreadable = noise, unreadable
        self.draws = np.random.default_rng(0)

    def batches(self, paths, on_bad):
        places = []
        for place, path in enumerate(paths):
            if path in self.unreadable:
                on_bad(place, DataError(path))
            else:
                places.append(place)
        features = np.eye(IDS)[places] + self.noise * self.draws.standard_normal((len(places), IDS))
        yield ExtractedBatch(places, torch.from_numpy(features).float())


def test_equal_features_lose_nothing(dataset) -> None:
    check = check_retrieval(dataset, Extractor(0), Extractor(0), "cosine", 0.5)
    require_no_loss(check)
    assert (check.map_torch, check.map_exported, check.queries, check.identities) == (1, 1, 30, 30)


def test_a_loss_is_refused_with_the_figures(dataset) -> None:
    check = check_retrieval(dataset, Extractor(0), Extractor(0.6), "cosine", 0.5)
    assert check.map_exported < 0.8
    with pytest.raises(UserError, match=r"loss over 0.5 points .* toy: .*, PyTorch's 100.00; .*\["):
        require_no_loss(check)
    assert check.difference.low < check.difference.high < 0


def test_a_loss_that_is_allowed_is_recorded(dataset) -> None:
    check = check_retrieval(dataset, Extractor(0), Extractor(0.6), "cosine", 99)
    require_no_loss(check)
    assert check.as_dict()["allowed_loss"] == 99
    assert check.as_dict()["difference"][0] < 0


def test_it_is_the_lower_end_that_decides(dataset) -> None:
    check = check_retrieval(dataset, Extractor(0), Extractor(0.3), "cosine", 0.0)
    points = -100 * check.difference.low
    assert points > 0
    for allowed, excludes in ((points + 0.01, True), (points - 0.01, False)):
        again = check_retrieval(dataset, Extractor(0), Extractor(0.3), "cosine", allowed)
        assert again.excludes_loss is excludes


def test_unreadable_images_are_left_out_of_both(dataset) -> None:
    bad = ("/q/3.jpg", "/g/5.jpg")
    check = check_retrieval(dataset, Extractor(0, bad), Extractor(0, bad), "euclidean", 0.5)
    assert check.queries == IDS - 2  # the query itself, and the one whose match is gone


def test_a_dataset_without_queries_is_told(dataset) -> None:
    empty = Dataset("toy", dataset.train, dataset.train, dataset.gallery, Market1501(), "")
    with pytest.raises(DataError, match="toy has no queries"):
        check_retrieval(empty, Extractor(0), Extractor(0), "cosine", 0.5)


def test_a_dataset_of_the_checkpoints_own_is_found(plugins, root) -> None:
    config = {"data": {"root": root, "datasets": {"mine": {"tiny": {}}}}, "test": {}}
    found = read_dataset(DatasetChoice("mine"), config, plugins)
    assert (found.name, found.protocol_name, len(found.query)) == ("mine", "market1501", 48)
    assert len(found.train) == 48


def test_another_protocol_of_the_run_is_kept(plugins, root) -> None:
    config = {"test": {"protocol": "any_camera"}}
    found = read_dataset(DatasetChoice("tiny", root), config, plugins)
    assert found.protocol_name == "any_camera"


def test_a_protocol_is_not_given_the_options_of_a_dataset_of_its_name(plugins, root) -> None:
    config = {"test": {"protocol": "market1501"}, "market1501": {"use_500k_distractors": False}}
    found = read_dataset(DatasetChoice("tiny", root), config, plugins)
    assert found.protocol_name == "market1501"
