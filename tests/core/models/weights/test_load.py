"""Weights from files, in the shapes in which they have been published."""

from __future__ import annotations

import logging
import lzma
import re
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from reid_plugins_osnet.osnet import osnet_x0_25
from reidcore.errors import CheckpointError
from reidcore.models import build_model, load_pretrained_weights

DATA = Path(__file__).parents[3] / "fixtures" / "checkpoints"
PUBLISHED = {
    "a": "a_dataparallel_numpy.pth.tar-10",
    "b": "b_plain_state_dict.pth",
    "c": "c_other_classifier.pth.tar-3",
}


@pytest.fixture(scope="module")
def golden():
    with np.load(DATA / "features.npz") as stored:
        return {name: torch.from_numpy(stored[name]) for name in stored}


@pytest.fixture
def published(tmp_path):
    def unpack(kind):
        path = tmp_path / PUBLISHED[kind]
        path.write_bytes(lzma.decompress((DATA / f"{PUBLISHED[kind]}.xz").read_bytes()))
        return path

    return unpack


@pytest.mark.parametrize("kind", PUBLISHED)
@pytest.mark.parametrize("wrap", [lambda model: model, nn.DataParallel], ids=["bare", "parallel"])
def test_published_checkpoints_give_the_reference_features(kind, wrap, published, golden):
    model = wrap(osnet_x0_25(num_classes=10, pretrained=False)).eval()
    report = load_pretrained_weights(model, published(kind))
    with torch.no_grad():
        features = model(golden["x"])
    torch.testing.assert_close(features, golden[kind], atol=1e-5, rtol=0)
    other_classes = ["classifier.weight", "classifier.bias"] if kind == "c" else []
    assert report.discarded == report.untouched == other_classes


def test_what_was_loaded_and_discarded_is_logged(published, caplog):
    model = osnet_x0_25(num_classes=10, pretrained=False)
    with caplog.at_level(logging.INFO, logger="reidcore"):
        load_pretrained_weights(model, published("c"))
    assert "Loaded 565 of the model's 567 entries" in caplog.text
    sizes = "classifier.weight (size (23, 512), the model's is (10, 512))"
    assert f"Left out for their size: {sizes}" in caplog.text
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize(("neck", "level"), [(2, "DEBUG"), (4, "INFO")])
def test_a_classifier_is_no_news_to_who_wants_features_alone(neck, level, tmp_path, caplog):
    """Unless something else is left out too: the file's neck has another size."""

    def network(neck: int, classes: int) -> nn.Module:
        sizes = {"body": 2, "neck": neck, "classifier": classes}
        return nn.Sequential(OrderedDict((k, nn.Linear(2, size)) for k, size in sizes.items()))

    torch.save(network(neck, 5).state_dict(), tmp_path / "a.pth")
    with caplog.at_level(logging.DEBUG, logger="reidcore"):
        load_pretrained_weights(network(2, 3), tmp_path / "a.pth", features_only=True)
    told = [record for record in caplog.records if "Left out for" in record.getMessage()]
    assert [record.levelname for record in told] == [level]
    assert "classifier.weight (size (5, 2), the model's is (3, 2))" in told[0].getMessage()


def test_entries_that_the_file_lacks_are_told(tmp_path, caplog):
    entries = {"0.weight": torch.ones(2, 2), "0.bias": torch.ones(2), "0.wieght": torch.ones(1)}
    torch.save(entries, tmp_path / "part.pth")
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    with caplog.at_level(logging.INFO, logger="reidcore"):
        report = load_pretrained_weights(model, tmp_path / "part.pth")
    assert report.loaded == ["0.weight", "0.bias"]
    assert report.reasons == {"0.wieght": "the model has no such entry"}
    assert report.untouched == ["1.weight", "1.bias"]
    assert "left as they were: 1.weight, 1.bias" in caplog.text
    assert "unknown to the model: 0.wieght. Did you mean '1.weight'" in caplog.text
    assert torch.equal(model[0].weight, torch.ones(2, 2))


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod.", "module.module."])
@pytest.mark.parametrize("key", ["state_dict", "model", None])
def test_prefixes_and_containers_make_no_difference(prefix, key, tmp_path):
    source = nn.Linear(2, 3)
    state = {prefix + name: value for name, value in source.state_dict().items()}
    torch.save({key: state, "epoch": 4} if key else state, tmp_path / "w.pth")
    model = nn.Linear(2, 3)
    assert load_pretrained_weights(model, str(tmp_path / "w.pth")).discarded == []
    assert torch.equal(model.weight, source.weight)


def test_a_layer_that_is_called_model_is_no_container(tmp_path):
    source = nn.ModuleDict({"model": nn.Linear(2, 3)})
    torch.save(source.state_dict(), tmp_path / "w.pth")
    model = nn.ModuleDict({"model": nn.Linear(2, 3)})
    load_pretrained_weights(model, tmp_path / "w.pth")
    assert torch.equal(model["model"].weight, source["model"].weight)


def test_a_network_with_a_child_named_module_takes_its_own_weights(tmp_path):
    source = nn.ModuleDict({"module": nn.Linear(2, 3), "head": nn.Linear(3, 1)})
    torch.save(nn.DataParallel(source).state_dict(), tmp_path / "w.pth")
    model = nn.ModuleDict({"module": nn.Linear(2, 3), "head": nn.Linear(3, 1)})
    report = load_pretrained_weights(model, tmp_path / "w.pth")
    assert (report.discarded, report.untouched) == ([], [])
    assert torch.equal(model["module"].weight, source["module"].weight)


def test_a_file_where_nothing_fits_is_refused(tmp_path):
    torch.save(nn.Linear(9, 9).state_dict(), tmp_path / "other.pth")
    model = nn.Linear(2, 3)
    before = model.weight.clone()
    expected = r"nothing in .*other\.pth.* fits Linear: expected weight of size \(3, 2\), found"
    with pytest.raises(CheckpointError, match=expected):
        load_pretrained_weights(model, tmp_path / "other.pth")
    assert torch.equal(model.weight, before)


@pytest.mark.parametrize("content", [{}, [1, 2], {"state_dict": {}}, {"epoch": 3}, torch.ones(3)])
def test_a_file_without_weights_is_refused(content, tmp_path):
    torch.save(content, tmp_path / "none.pth")
    with pytest.raises(CheckpointError, match="holds no model weights"):
        load_pretrained_weights(nn.Linear(2, 2), tmp_path / "none.pth")


@pytest.mark.parametrize("name", ["evil.pth.tar", "evil_legacy.pth.tar"])
def test_malicious_files_run_nothing_and_change_nothing(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = nn.Linear(2, 2)
    before = model.weight.clone()
    with pytest.raises(CheckpointError, match="asks to run"):
        load_pretrained_weights(model, DATA / name)
    assert torch.equal(model.weight, before)
    assert not (tmp_path / "PWNED").exists()


def test_weights_of_another_architecture_are_refused_though_some_entries_fit(tmp_path):
    source = build_model("resnet18", 10, pretrained=False)
    torch.save({"state_dict": source.state_dict()}, tmp_path / "resnet18.pth")
    model = build_model("resnet50", 10, pretrained=False)
    before = model.conv1.weight.clone()
    with pytest.raises(CheckpointError) as caught:
        load_pretrained_weights(model, tmp_path / "resnet18.pth")
    message = str(caught.value)
    assert re.search(r"too little \(\d+ of 320 entries\) in .* fits ResNet", message)
    for part in (
        "expected layer1.0.conv1.weight of size (64, 64, 1, 1), found (64, 64, 3, 3)",
        "the model wants layer1.0.conv3.weight",
    ):
        assert part in message
    assert torch.equal(model.conv1.weight, before)


def test_weights_of_a_deeper_network_of_the_family_are_warned_of(tmp_path, caplog):
    layers = nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 2)
    torch.save(nn.Sequential(*layers).state_dict(), tmp_path / "deep.pth")
    with caplog.at_level(logging.INFO, logger="reidcore"):
        load_pretrained_weights(nn.Sequential(*layers[:2]), tmp_path / "deep.pth")
    [warning] = [each for each in caplog.records if each.levelno >= logging.WARNING]
    assert warning.getMessage() == "Left out, unknown to the model: 2.weight, 2.bias."


def test_a_bias_that_fits_by_chance_is_not_enough(tmp_path):
    torch.save(build_model("osnet_x0_25", 10, pretrained=False).state_dict(), tmp_path / "o.pth")
    with pytest.raises(CheckpointError, match=r"nothing in .* fits ResNet"):
        load_pretrained_weights(build_model("resnet18", 10, pretrained=False), tmp_path / "o.pth")


def test_the_model_that_a_checkpoint_records_is_named(tmp_path):
    record = {"config": {"model": {"name": "somenet"}}}
    torch.save({"state_dict": {"strange": torch.ones(1)}, "reidcore": record}, tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match="of a 'somenet', fits Linear"):
        load_pretrained_weights(nn.Linear(2, 2), tmp_path / "w.pth")


@pytest.mark.parametrize("record", [{"model": {"name": "osnet_x0_25"}}, None])
def test_a_checkpoint_that_lacks_a_part_of_its_own_model_is_refused(record, tmp_path):
    model = build_model("osnet_x0_25", 5, pretrained=False)
    state = model.state_dict()
    del state["fc.0.weight"], state["classifier.weight"]
    torch.save({"state_dict": state, "reidcore": record}, tmp_path / "part.pth")
    if record is None:  # it may be meant to fill a part only
        report = load_pretrained_weights(model, tmp_path / "part.pth")
        assert report.untouched == ["fc.0.weight", "classifier.weight"]
        return
    with pytest.raises(CheckpointError, match=r"'osnet_x0_25', lacks 1 of .*: fc\.0\.weight"):
        load_pretrained_weights(model, tmp_path / "part.pth")


def test_a_head_may_be_new_to_a_model_of_the_same_name(tmp_path):
    plain = build_model("osnet_x0_25", 5, pretrained=False)
    record = {"config": {"model": {"name": "osnet_x0_25"}}}
    torch.save({"state_dict": plain.state_dict(), "reidcore": record}, tmp_path / "plain.pth")
    headed = build_model("osnet_x0_25", 5, pretrained=False, head={"neck": "bnneck"})
    report = load_pretrained_weights(headed, tmp_path / "plain.pth")
    assert "head.neck.weight" in report.untouched


@pytest.mark.parametrize("given", ["osnet_x025", "osnet/osnet_x025"])
def test_what_is_neither_a_file_nor_a_name_gets_the_nearest(given):
    with pytest.raises(CheckpointError, match="Did you mean 'osnet"):
        load_pretrained_weights(nn.Linear(2, 2), given)


def test_published_weights_are_given_by_name(home, host, publishing, tmp_path):
    source = nn.Linear(2, 3)
    torch.save(source.state_dict(), tmp_path / "w.pth")
    host.files["w.pth"] = (tmp_path / "w.pth").read_bytes()
    plugins = publishing(tiny={"filename": "w.pth", "url": f"{host.address}/w.pth"})
    for name in ("tiny", "Publisher/tiny"):
        model = nn.Linear(2, 3)
        load_pretrained_weights(model, name, plugins)
        assert torch.equal(model.weight, source.weight)


def test_a_file_goes_before_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = nn.Linear(2, 3)
    torch.save(source.state_dict(), "osnet_x1_0")
    model = nn.Linear(2, 3)
    load_pretrained_weights(model, "osnet_x1_0")
    assert torch.equal(model.weight, source.weight)


@pytest.mark.parametrize("dtype", [torch.complex64, torch.int8, torch.bool])
def test_numbers_of_another_kind_are_refused(dtype, tmp_path):
    state = nn.Linear(2, 2).state_dict()
    torch.save({**state, "weight": state["weight"].to(dtype)}, tmp_path / "odd.pth")
    model = nn.Linear(2, 2)
    before = model.bias.clone()
    told = rf"odd\.pth' has weight of {str(dtype)[6:]}, the model's is float32"
    with pytest.raises(CheckpointError, match=told):
        load_pretrained_weights(model, tmp_path / "odd.pth")
    assert torch.equal(model.bias, before)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_real_numbers_of_another_width_are_taken(dtype, tmp_path):
    torch.save(nn.Linear(2, 2).to(dtype).state_dict(), tmp_path / "half.pth")
    assert load_pretrained_weights(nn.Linear(2, 2), tmp_path / "half.pth").untouched == []
