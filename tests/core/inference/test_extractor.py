"""The extractor: what it takes, what it gives, and what it refuses."""

from __future__ import annotations

import logging
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from reidcore import hookimpl, utils
from reidcore.data.images.decode import read_image
from reidcore.data.images.reading import VIEWER, ImageReading
from reidcore.data.images.resize import RESIZERS, resized
from reidcore.data.transforms.build import build_transforms
from reidcore.errors import CheckpointError, DataError, UnknownNameError, UserError
from reidcore.inference import FeatureExtractor
from reidcore.models import build_model
from reidcore.testing import TinyNet, TinyWorld, make_plugins


class Lit:
    """A plugin with a model that has an option."""

    @hookimpl
    def reid_register_models(self, registry) -> None:
        registry.add("brighter", Brighter)


class Brighter(TinyNet):
    def __init__(self, num_classes, loss="softmax", pretrained=False, factor: float = 1.0) -> None:
        super().__init__(num_classes, loss)
        self.factor = factor

    def embed(self, maps):
        return self.factor * super().embed(maps)


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> list[str]:
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    paths = [folder / name for name in ("a.jpg", "b.png", "c.jpg", "d.png", "e.jpg")]
    for number, path in enumerate(paths):
        pixels = rng.integers(0, 256, (40 + number, 30 - number, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
    return [str(path) for path in paths]


@pytest.fixture
def expected(weights, photos) -> torch.Tensor:
    """The features of the photos, computed by hand."""
    model = TinyNet(5).eval()
    model.load_state_dict(torch.load(weights))
    transform = build_transforms(32, 16, None)[1]
    with torch.no_grad():
        return model(torch.stack([transform(read_image(path)) for path in photos]))


def same(found: torch.Tensor, wanted: torch.Tensor) -> None:
    torch.testing.assert_close(found, wanted, atol=1e-6, rtol=1e-5)


# -- inputs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"batch_size": 2}, {"workers": 0}, {"workers": 3}])
def test_files_in_batches_of_any_size(make, photos, expected, options) -> None:
    features = make(**options)(photos)
    same(features, expected)
    assert features.dtype == torch.float32


def test_a_path_an_array_and_a_picture_alone_or_mixed(make, photos, expected) -> None:
    extract = make()
    pictures = [read_image(path) for path in photos]
    arrays = [np.asarray(picture) for picture in pictures]
    for single in (photos[0], Path(photos[0]), arrays[0], pictures[0]):
        same(extract(single), expected[:1])
    same(extract(arrays), expected)
    same(extract([photos[0], arrays[1], pictures[2], Path(photos[3])]), expected[:4])
    same(extract(tuple(photos)), expected)


def test_any_picture_is_read_as_rgb(make) -> None:
    grey = Image.fromarray(np.arange(200, dtype=np.uint8).reshape(20, 10))
    extract = make()
    same(extract(grey), extract(np.dstack([np.asarray(grey)] * 3)))


def test_an_array_may_be_a_view(make, photos) -> None:
    extract = make()
    backwards = np.asarray(read_image(photos[0]))[:, ::-1]
    same(extract(backwards), extract(backwards.copy()))


def test_tensors_are_taken_as_they_are(make, photos, expected) -> None:
    transform = build_transforms(32, 16, None)[1]
    batch = torch.stack([transform(read_image(path)) for path in photos])
    extract = make(batch_size=2)
    same(extract(batch), expected)
    same(extract(batch[0]), expected[:1])
    same(extract(batch.double()), expected)
    assert extract(torch.zeros(1, 3, 48, 48)).shape == (1, 8)


def test_features_may_take_part_in_a_training(make, photos) -> None:
    layer = nn.Linear(8, 1)
    layer(make()(photos)).sum().backward()
    assert layer.weight.grad is not None


def test_batches_tell_whose_features_they_are(make, photos, expected, tmp_path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8 not a jpeg")
    images = [photos[0], str(broken), photos[1], photos[2], str(tmp_path / "gone.jpg"), photos[3]]
    left_out = {}
    extract = make(batch_size=2)
    found = list(extract.batches(images, on_bad=left_out.__setitem__))
    assert [batch.places for batch in found] == [[0], [2, 3], [5]]
    same(torch.cat([batch.features for batch in found]), expected[:4])
    assert sorted(left_out) == [1, 4]
    assert "broken.jpg" in left_out[1].what


def test_no_more_is_held_than_a_few_batches(make, monkeypatch) -> None:
    from reidcore.inference import extractor as module

    opened, most_ahead = [], 0
    monkeypatch.setattr(
        module, "open_image", lambda image, reading: opened.append(image) or np.asarray(image)
    )
    extract = make(batch_size=2, workers=2)
    picture = Image.new("RGB", (16, 32))
    for number, _ in enumerate(extract.batches([picture] * 60), start=1):
        most_ahead = max(most_ahead, len(opened) - 2 * number)
    assert len(opened) == 60
    assert most_ahead <= 4


# -- preprocessing ---------------------------------------------------------------------------------


def test_the_usual_preprocessing_is_torchreids(make) -> None:
    extract = make(image_size=None)
    wanted = build_transforms(256, 128, None)[1](picture := Image.new("RGB", (50, 90), "teal"))
    pixels = extract.preprocessing.resized(np.asarray(picture))
    torch.testing.assert_close(
        extract.preprocessing.normalised([pixels], torch.device("cpu")), wanted[None]
    )


@pytest.mark.parametrize("verbose", [True, False])
def test_a_model_of_one_size_is_given_that(tmp_path, verbose) -> None:
    torch.save(build_model("hacnn", 2, pretrained=False).state_dict(), tmp_path / "weights.pth")
    extract = FeatureExtractor("hacnn", tmp_path / "weights.pth", device="cpu", verbose=verbose)
    assert extract(Image.new("RGB", (50, 90), "teal")).shape == (1, 1024)


def test_mean_deviation_and_their_absence(make, photos) -> None:
    picture = read_image(photos[0])
    plain = torch.from_numpy(np.array(picture.resize((16, 32), Image.Resampling.BILINEAR)))
    plain = plain.permute(2, 0, 1).float() / 255
    unscaled = make(pixel_norm=False)
    same(unscaled(photos[0]), unscaled(plain))
    halves = make(pixel_mean=[0.5, 0.5, 0.5], pixel_std=[0.5, 0.5, 0.5])
    same(halves(photos[0]), halves(2 * plain - 1))


def test_one_number_is_both_sides(make) -> None:
    preprocessing = make(image_size=24).preprocessing
    assert (preprocessing.height, preprocessing.width) == (24, 24)


# -- checkpoints -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of the model with an option, on images of an unusual size and normalisation."""
    from reidcore.testing import tiny_run

    folder = tmp_path_factory.mktemp("run")
    overrides = ["model.factor=3.0", "data.height=36", "data.width=20"]
    overrides += ["data.norm_mean=[0.4, 0.4, 0.4]", "data.norm_std=[0.3, 0.3, 0.3]"]
    run = tiny_run(Lit(), save_dir=folder, model="brighter", overrides=overrides)
    return run.engine, folder / "model.pth.tar-1"


def test_a_checkpoint_of_ours_brings_model_options_and_preprocessing(trained) -> None:
    engine, checkpoint = trained
    extract = FeatureExtractor(
        model_path=checkpoint, device="cpu", verbose=False, plugins=engine.plugins
    )
    assert extract.model.factor == 3
    query = engine.datamanager.test_dataset["tiny"]["query"]
    engine.set_model_mode("eval")
    batch = next(iter(engine.test_loader["tiny"]["query"]))
    with torch.no_grad():
        wanted = engine.extract_features(batch["img"])
    same(extract([sample.path for sample in query][: len(wanted)]), wanted)


def test_images_keep_their_shape_if_they_did_in_training(trained, tmp_path) -> None:
    engine, path = trained
    checkpoint = torch.load(path, weights_only=False)
    checkpoint["reidcore"]["preprocessing"]["letterbox"] = [9, 8, 7]
    torch.save(checkpoint, tmp_path / "boxed.pth")
    extract = FeatureExtractor(
        model_path=tmp_path / "boxed.pth", device="cpu", verbose=False, plugins=engine.plugins
    )
    wide = extract.preprocessing.resized(np.full((10, 100, 3), 255, dtype=np.uint8))
    assert wide.shape == (36, 20, 3)
    assert wide[0, 0].tolist() == [9, 8, 7]
    assert wide[18, 10].tolist() == [255, 255, 255]


@pytest.mark.parametrize(
    ("recorded", "expected"),
    [({"resize": "torch"}, "torch"), ({"resize": "pillow"}, "pillow"), ({}, "pillow")],
)
def test_images_are_resized_as_in_training_and_by_pillow_where_nobody_says(
    trained, tmp_path, recorded, expected
) -> None:
    engine, path = trained
    checkpoint = torch.load(path, weights_only=False)
    assert checkpoint["reidcore"]["preprocessing"].pop("resize") == "torch"
    checkpoint["reidcore"]["preprocessing"].update(recorded)
    torch.save(checkpoint, tmp_path / "resized.pth")
    extract = FeatureExtractor(
        model_path=tmp_path / "resized.pth", device="cpu", verbose=False, plugins=engine.plugins
    )
    pixels = np.random.default_rng(0).integers(0, 256, (71, 45, 3), dtype=np.uint8)
    made = {name: resized(pixels, 36, 20, name) for name in RESIZERS}
    assert not np.array_equal(made["torch"], made["pillow"])
    np.testing.assert_array_equal(extract.preprocessing.resized(pixels), made[expected])


# -- reading ---------------------------------------------------------------------------------------

THERMAL = np.random.default_rng(0).integers(7000, 9041, (40, 20), dtype=np.uint16)


def _forms(folder: Path, values: np.ndarray) -> list:
    """Return an image as a path, a picture and an array."""
    path = folder / "a.tif"
    Image.fromarray(values).save(path)
    return [path, Image.open(path), np.dstack([values] * 3)]


@pytest.mark.parametrize("ends", [None, (7000, 9040)])
def test_sixteen_bits_are_scaled_by_one_rule_however_they_come(make, tmp_path, ends) -> None:
    extract = make(reading="viewer", value_range=ends)
    low, high = ends or (0, 65535)
    scaled = np.rint((THERMAL - np.float64(low)) / (high - low) * 255).astype(np.uint8)
    wanted = extract(np.dstack([scaled] * 3))
    for image in _forms(tmp_path, THERMAL):
        same(extract(image), wanted)


def test_floats_are_scaled_by_the_range_that_is_given(make, tmp_path) -> None:
    values = np.linspace(0, 1, 800, dtype=np.float32).reshape(40, 20)
    extract = make(value_range=(0, 1))
    wanted = extract(np.dstack([np.rint(values * 255).astype(np.uint8)] * 3))
    for image in _forms(tmp_path, values):
        same(extract(image), wanted)
        with pytest.raises(DataError, match=r"float32, whose range nobody told. .*value_range="):
            make(reading="viewer")(image)


def test_sixteen_bits_are_not_cut_off_where_torchreid_would(make, tmp_path) -> None:
    for image in _forms(tmp_path, THERMAL):
        with pytest.raises(DataError, match=r"from 7\d+ to 90\d+.*reading='viewer'"):
            make()(image)


def test_a_viewers_picture_is_upright_and_over_white(make, tmp_path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 20, 4), dtype=np.uint8)
    noise[:9, :, 3] = 0
    exif = Image.Exif()
    exif[0x0112] = 3
    Image.fromarray(noise, "RGBA").save(tmp_path / "a.png", exif=exif)
    seen = np.asarray(read_image(tmp_path / "a.png", VIEWER))
    assert seen[-1, 0].tolist() == [255] * 3
    for image in (tmp_path / "a.png", Image.open(tmp_path / "a.png")):
        same(make(reading="viewer")(image), make()(seen))
        same(make()(image), make()(noise[..., :3].copy()))


@pytest.mark.parametrize("recorded", [{}, {"reading": "viewer", "value_range": [7000, 9040]}])
def test_images_are_read_as_in_training_and_as_torchreid_does_where_nobody_says(
    trained, tmp_path, recorded
) -> None:
    engine, path = trained
    checkpoint = torch.load(path, weights_only=False)
    assert checkpoint["reidcore"]["preprocessing"].pop("reading") == "viewer"
    checkpoint["reidcore"]["preprocessing"].update(recorded)
    torch.save(checkpoint, tmp_path / "read.pth")
    options = {"device": "cpu", "verbose": False, "plugins": engine.plugins}
    found = FeatureExtractor(model_path=tmp_path / "read.pth", **options)
    assert found.preprocessing.reading == ImageReading.recorded(recorded)
    asked = FeatureExtractor(model_path=tmp_path / "read.pth", value_range=(0, 1), **options)
    assert asked.preprocessing.reading.value_range == (0, 1)
    assert asked.preprocessing.reading.preset == recorded.get("reading", "torchreid")


def test_a_sample_that_uses_little_of_its_range_is_told_once(make, tmp_path, caplog) -> None:
    extract = make(reading="viewer")
    for image in _forms(tmp_path, THERMAL):
        extract(image)
    (line,) = [line for line in caplog.messages if "data.value_range" in line]
    assert "hold values from 70" in line


def test_a_picture_of_too_many_pixels_or_a_damaged_one_is_told_by_its_place(
    make, photos, tmp_path, monkeypatch
) -> None:
    Image.new("RGB", (30, 40)).save(tmp_path / "large.png")
    whole = (tmp_path / "large.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    large, cut = Image.open(tmp_path / "large.png"), Image.open(tmp_path / "cut.png")
    with pytest.raises(DataError, match=r"cannot read the image .*cut\.png"):
        make()(cut)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 30 * 40 - 1)
    left = []
    array = np.zeros((40, 30, 3), np.uint8)
    given = [tmp_path / "large.png", large, array]
    list(make().batches(given, on_bad=lambda place, error: left.append((place, error.what))))
    assert [place for place, _ in left] == [0, 1, 2]
    assert all("30x40 pixels, and at most 1,199 are read" in what for _, what in left)


def test_a_resizer_that_is_not_known_is_refused(trained, tmp_path) -> None:
    engine, path = trained
    checkpoint = torch.load(path, weights_only=False)
    checkpoint["reidcore"]["preprocessing"]["resize"] = "tourch"
    torch.save(checkpoint, tmp_path / "odd.pth")
    with pytest.raises(CheckpointError, match=r"resize is 'tourch', expected 'torch', 'pillow' or"):
        FeatureExtractor(
            model_path=tmp_path / "odd.pth", device="cpu", verbose=False, plugins=engine.plugins
        )


def test_what_is_given_goes_before_what_was_recorded(trained) -> None:
    engine, checkpoint = trained
    extract = FeatureExtractor(
        "tinynet",
        checkpoint,
        image_size=(48, 24),
        pixel_std=[0.2, 0.2, 0.2],
        device="cpu",
        verbose=False,
        plugins=engine.plugins,
    )
    assert type(extract.model) is TinyNet
    done = extract.preprocessing
    assert (done.height, done.width) == (48, 24)
    assert (done.mean, done.std) == ([0.4] * 3, [0.2] * 3)


def test_a_checkpoint_of_an_engine_built_by_hand_names_its_model(trained, tmp_path) -> None:
    engine, path = trained
    checkpoint = torch.load(path, weights_only=False)
    checkpoint["reidcore"]["config"] = None
    torch.save(checkpoint, tmp_path / "by_hand.pth")
    extract = FeatureExtractor(
        model_path=tmp_path / "by_hand.pth", device="cpu", verbose=False, plugins=engine.plugins
    )
    assert extract.model.factor == 3
    assert extract.preprocessing.height == 36


def test_a_checkpoint_of_a_model_built_by_hand_names_none(trained, tmp_path) -> None:
    checkpoint = torch.load(trained[1], weights_only=False)
    checkpoint["reidcore"]["config"] = None
    checkpoint["reidcore"]["model"] = {}
    torch.save(checkpoint, tmp_path / "by_hand.pth")
    with pytest.raises(UserError, match=r"no model is named, and .*by_hand.pth' does not tell it"):
        FeatureExtractor(model_path=tmp_path / "by_hand.pth", device="cpu")


# -- none, length, crops, streams ------------------------------------------------------------------


@pytest.mark.parametrize("normalize", [True, False])
def test_no_images_have_no_rows(make, normalize) -> None:
    extract = make(normalize=normalize)
    for nothing in ([], (), torch.zeros(0, 3, 32, 16)):
        assert extract(nothing).shape == (0, 8)
    assert extract.crops(FRAME, []).shape == (0, 8)
    assert list(extract.extract(iter([]))) == []
    assert extract.feature_dim == 8


def test_unit_length_is_an_option(make, photos, expected) -> None:
    wanted = expected / expected.norm(dim=1, keepdim=True)
    extract = make(normalize=True)
    same(extract(photos), wanted)
    same(torch.cat([batch.features for batch in extract.batches(photos)]), wanted)


FRAME = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)


@pytest.mark.parametrize("color", ["rgb", "bgr"])
def test_crops_equal_the_files_that_they_would_be(make, tmp_path, color) -> None:
    boxes = np.array([(5, 7, 30, 50), (-4, 20, 33, 99), (60, 0, 90, 60)])
    files = []
    for number, (left, top, right, bottom) in enumerate(boxes.clip(0)):
        files.append(tmp_path / f"{number}.png")
        Image.fromarray(FRAME[top:bottom, left:right]).save(files[-1])
    extract, frame = make(), FRAME if color == "rgb" else np.ascontiguousarray(FRAME[..., ::-1])
    assert torch.equal(extract.crops(frame, boxes, color=color), extract(files))
    wide = np.zeros((60, 180, 3), np.uint8)
    wide[:, ::2] = frame
    assert torch.equal(extract.crops(wide[:, ::2], boxes, color=color), extract(files))


def test_a_box_of_no_area_is_an_error_or_a_row_of_zeros_told_once(make, caplog) -> None:
    extract, boxes = make(), [(0, 0, 9, 9), (5, 5, 5, 9), (1, 1, 8, 8)]
    with pytest.raises(DataError, match="row 1 of the boxes"):
        extract.crops(FRAME, boxes)
    found = extract.crops(FRAME, boxes, on_bad="zero")
    assert torch.equal(found[[0, 2]], extract.crops(FRAME, [boxes[0], boxes[2]]))
    assert torch.equal(found[1], torch.zeros(8))
    assert torch.equal(extract.crops(FRAME, boxes[1:2], on_bad="zero"), torch.zeros(1, 8))
    assert len([line for line in caplog.messages if "features are zeros" in line]) == 1
    with pytest.raises(UserError, match=r"on_bad='skip'. Use raise or zero"):
        extract.crops(FRAME, boxes, on_bad="skip")


@pytest.mark.parametrize("workers", [0, 2])
def test_a_stream_is_read_as_far_as_it_is_needed(make, workers) -> None:
    taken = 0

    def frames():
        nonlocal taken
        while True:
            taken += 1
            yield FRAME

    stream = make(batch_size=4, workers=workers).extract(frames())
    places = [next(stream).places for _ in range(3)]
    assert places == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    assert taken <= 12 + 2 * 4


def test_what_is_no_image_in_a_stream_is_told_in_its_turn(make) -> None:
    extract, stream = make(batch_size=1), [FRAME, None, FRAME]
    left_out = {}
    found = list(extract.extract(iter(stream), left_out.__setitem__))
    assert [batch.places for batch in found] == [[0], [2]]
    assert "element 1 is of type NoneType" in left_out[1].what
    features = extract.extract(iter(stream))
    assert next(features).places == [0]
    with pytest.raises(DataError, match="element 1 is of type NoneType"):
        next(features)


# -- running ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_features_that_are_not_finite_are_an_error(make, weights, photos, tmp_path, value) -> None:
    state = torch.load(weights)
    state["norm.weight"][0] = value
    torch.save(state, tmp_path / "diverged.pth")
    extract = make(model_path=tmp_path / "diverged.pth")
    with pytest.raises(DataError, match=r"not finite for 5 of 5 images, such as .*a\.jpg"):
        extract(photos)
    with pytest.raises(DataError, match=r"Look for NaN in the weights"):
        next(extract.batches(photos))
    with pytest.raises(DataError, match=r"not finite for 2 of 2 images, such as 0"):
        extract(torch.rand(2, 3, 32, 16))


def test_the_hook_wraps_extraction(make, photos, expected) -> None:
    class FlipTest:
        @hookimpl(wrapper=True)
        def reid_extract_features(self, model, images):
            features = yield
            return (features + model(images.flip(3))) / 2

    plain = make()
    flipped = make(plugins=make_plugins(TinyWorld(), FlipTest()))
    turned = [read_image(path).transpose(Image.Transpose.FLIP_LEFT_RIGHT) for path in photos]
    resized_then_turned = (plain(photos) + plain(turned)) / 2
    torch.testing.assert_close(flipped(photos), resized_then_turned, atol=0.02, rtol=0.05)
    assert not torch.allclose(flipped(photos), expected, atol=1e-4)


def test_without_a_gpu_the_cpu_is_taken_and_told(make, monkeypatch, caplog) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with caplog.at_level(logging.INFO, logger="reidcore"):
        extract = make(device="cuda")
    assert extract.device == torch.device("cpu")
    assert "There is no cuda device: features are extracted on the CPU" in caplog.text


def test_verbose_tells_the_models_size(make, caplog) -> None:
    with caplog.at_level(logging.INFO, logger="reidcore"):
        make(verbose=True)
    assert "Model: tinynet\n" in caplog.text.replace("INFO", "")
    assert "- params: 240" in caplog.text
    assert "- flops: " in caplog.text


def test_compiling_happens_in_place(make, monkeypatch) -> None:
    compiled = []
    monkeypatch.setattr(nn.Module, "compile", lambda module: compiled.append(module))
    extract = make(compile=True)
    assert compiled == [extract.model]
    make()
    assert len(compiled) == 1


def test_threads_share_an_extractor(make, photos, expected) -> None:
    """Each has its own images in hand when the others come to the network with theirs."""
    extract = make()
    together = threading.Barrier(4)

    def wait(*_: object) -> None:
        together.wait(60)

    extract.model.register_forward_pre_hook(wait)
    starts = list(range(4)) * 3
    with ThreadPoolExecutor(4) as pool:
        turned = [photos[start:] + photos[:start] for start in starts]
        for start, features in zip(starts, pool.map(extract, turned), strict=True):
            same(features, expected.roll(-start, 0))


def test_it_goes_to_another_process_unless_it_has_plugins_of_its_own(tmp_path, photos) -> None:
    torch.save(build_model("osnet_x0_25", 2, pretrained=False).state_dict(), tmp_path / "w.pth")
    size = {"image_size": (64, 32), "device": "cpu", "normalize": True}
    extract = FeatureExtractor("osnet_x0_25", tmp_path / "w.pth", verbose=False, **size)
    same(pickle.loads(pickle.dumps(extract))(photos), extract(photos))
    own = FeatureExtractor("osnet_x0_25", tmp_path / "w.pth", plugins=make_plugins(), **size)
    with pytest.raises(UserError, match=r"plugins of its own .* Leave plugins= out"):
        pickle.dumps(own)


def test_it_is_a_name_of_utils() -> None:
    assert utils.FeatureExtractor is FeatureExtractor


# -- refusals --------------------------------------------------------------------------------------

BYTES = np.zeros((8, 6, 3), np.uint8)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (3, "the input is of type int. Give a path, an RGB array"),
        ([BYTES, None], "element 1 is of type NoneType"),
        (
            BYTES.astype(np.float32),
            r"float32, whose range nobody told. Set data.value_range \(value_range=",
        ),
        (BYTES.astype(np.int64), "int64, whose range nobody told"),
        (BYTES.transpose(2, 0, 1), r"\(3, 8, 6\) .*Bring the channels last: array.transpose"),
        (BYTES[..., 0], r"\(8, 6\) .*Repeat the grey values"),
        (BYTES[..., :1], "Repeat the grey values"),
        (np.zeros((8, 6, 4), np.uint8), r"\(8, 6, 4\) .*Give RGB images"),
        (BYTES[:0], r"\(0, 6, 3\)"),
        (BYTES[None], r"Give a batch of images as a list: list\(array\)"),
        ([torch.zeros(3, 8, 6)], r"Give one tensor \(B, 3, h, w\): torch.stack"),
        (torch.zeros(3, 8, 6, dtype=torch.uint8), "uint8.* Give images of bytes as numpy arrays"),
        (torch.zeros(8, 6, 3), r"tensor is \(8, 6, 3\).* tensor.movedim\(-1, -3\)"),
        (torch.zeros(2, 1, 8, 6), r"not \(3, h, w\) or \(B, 3, h, w\)"),
        (torch.zeros(8, 6), r"not \(3, h, w\)"),
        (torch.zeros(2, 3, 0, 6), "no image to extract features from"),
        ("gone.jpg", "cannot read the image gone.jpg .*. Repair it, or leave it out"),
    ],
)
def test_what_it_is_given_is_refused_with_the_fix(make, given, message) -> None:
    with pytest.raises(DataError, match=message):
        make()(given)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"model_name": "tinnet"}, UnknownNameError, "Did you mean 'tinynet'"),
        ({"model_name": "", "model_path": ""}, UserError, "no model is named. Give model_name"),
        ({"model_path": "gone.pth"}, CheckpointError, "no checkpoint at 'gone.pth'"),
        ({"image_size": (256, 128, 3)}, UserError, "Give height and width"),
        ({"image_size": 0}, UserError, "image_size=0"),
        ({"pixel_mean": [0.5]}, UserError, "do not normalise three channels"),
        ({"batch_size": 0}, UserError, "batch_size=0. Give 1 or more"),
        ({"workers": -1}, UserError, "workers=-1. Give 0 or more"),
        ({"device": "gpu"}, UserError, "no device is named 'gpu'. Use cpu, cuda"),
    ],
)
def test_senseless_arguments_are_refused(make, options, error, message) -> None:
    with pytest.raises(error, match=message):
        make(**options)


def test_more_gpus_than_there_are_are_refused(make, monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(UserError, match=r"there is no cuda:2\. The last of 2 is cuda:1"):
        make(device="cuda:2")


def test_weights_of_another_model_are_refused(make, tmp_path) -> None:
    torch.save(nn.Linear(2, 2).state_dict(), tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match="fits TinyNet"):
        make(model_path=tmp_path / "other.pth")
