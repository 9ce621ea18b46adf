"""How hard the synthetic dataset is: neither colours nor untrained features solve it."""

import numpy as np
import pytest
import torch
from PIL import Image
from reid_plugins_synthetic.dataset import synthetic

from reid_plugins_osnet.osnet import osnet_x0_25
from reidcore.data import SampleTable, build_transforms, read_image
from reidcore.evaluation import evaluate_features


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """Fewer people than the default test has, which makes finding them easier, never harder."""
    return synthetic(tmp_path_factory.mktemp("root"), train_ids=0, test_ids=24, images_per_camera=2)


def described(dataset, describe):
    """Return the features of queries and gallery, and their labels."""
    tables = [SampleTable.of(split) for split in (dataset.query, dataset.gallery)]
    features = [
        torch.cat([describe(table.paths[k : k + 100]) for k in range(0, len(table), 100)])
        for table in tables
    ]
    query, gallery = tables
    return *features, query.pids, gallery.pids, query.camids, gallery.camids


def striped_histograms(paths):
    """Describe pictures by the colours of six horizontal stripes (8 x 4 x 4 bins of HSV)."""
    rows = []
    for path in paths:
        hue, saturation, value = np.moveaxis(np.asarray(Image.open(path).convert("HSV")), -1, 0)
        bins = (hue // 32).astype(int) * 16 + saturation // 64 * 4 + value // 64
        stripes = [np.bincount(s.ravel(), minlength=128) for s in np.array_split(bins, 6)]
        rows.append(np.sqrt(np.concatenate(stripes)))
    return torch.tensor(np.array(rows), dtype=torch.float32)


def untrained(paths):
    """Describe pictures by a network that has learnt nothing."""
    torch.manual_seed(0)
    model = osnet_x0_25(num_classes=10, pretrained=False).eval()
    _, transform = build_transforms(128, 64)
    with torch.inference_mode():
        return model(torch.stack([transform(read_image(path)) for path in paths]))


def test_colour_histograms_stay_below_a_fifth(people):
    found = evaluate_features(*described(people, striped_histograms), metric="cosine")
    assert found.num_valid == len(people.query)
    assert found.mAP < 0.20


def test_an_untrained_network_stays_below_a_tenth(people):
    features = described(people, untrained)
    for metric in ("cosine", "euclidean"):
        assert evaluate_features(*features, metric=metric).mAP < 0.10
