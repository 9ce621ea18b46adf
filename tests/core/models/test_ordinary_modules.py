"""Models are ordinary modules: they pickle, copy, compile, export and wrap as any other."""

from __future__ import annotations

import copy
import io
import pickle

import pytest
import torch
from torch import distributed, multiprocessing, nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torchvision.models import shufflenet_v2_x0_5

from reidcore.models import attach_head, build_model, outputs_of, unwrap
from reidcore.models.adapter import adapted
from reidcore.testing import TinyNet

SIZE = (64, 32)
IMAGES = torch.randn(2, 3, *SIZE, generator=torch.Generator().manual_seed(0))
PIDS = torch.tensor([0, 2])
HEAD = {
    "pool": "gem",
    "embedding": 16,
    "neck": "bnneck",
    "non_local": True,
    "classifier": "arcface",
}
TIMM = {"pretrained": False, "image_size": SIZE}
MODELS = {
    "native": lambda: TinyNet(3),
    "headed": lambda: attach_head(TinyNet(3), HEAD, 3),
    "timm": lambda: build_model("timm/test_resnet", 3, **TIMM),
    "headed timm": lambda: build_model("timm/test_vit", 3, head={"neck": "bnneck"}, **TIMM),
    "foreign": lambda: shufflenet_v2_x0_5(num_classes=3),
    "adapted": lambda: adapted(shufflenet_v2_x0_5(num_classes=3), "triplet"),
}


@pytest.fixture(params=MODELS)
def model(request):
    torch.manual_seed(0)
    return MODELS[request.param]().eval()


def assert_same(model, other):
    """Compare what two models give, in the mode they are in."""
    assert type(other) is type(model)
    assert [*other.state_dict()] == [*model.state_dict()]
    for own, others in zip(outputs_of(model, IMAGES), outputs_of(other, IMAGES), strict=True):
        torch.testing.assert_close(others, own)


def test_keys_are_the_names_of_parameters_and_buffers(model):
    held = dict(model.named_parameters()) | dict(model.named_buffers())
    assert set(model.state_dict()) <= set(held)
    assert {name for name, _ in model.named_parameters()} <= set(model.state_dict())


def test_a_model_is_saved_whole(model, tmp_path):
    outputs_of(model, IMAGES)
    torch.save(model, tmp_path / "model.pt")
    assert_same(model, torch.load(tmp_path / "model.pt", weights_only=False))
    assert_same(model, pickle.loads(pickle.dumps(model)))


def test_a_copy_is_a_model_of_its_own(model):
    copied = copy.deepcopy(model)
    assert_same(model, copied)
    with torch.no_grad():
        for parameter in copied.parameters():
            parameter.zero_()
    assert any(parameter.any() for parameter in model.parameters())


def test_models_go_to_a_spawned_process():
    with multiprocessing.get_context("spawn").Pool(1) as pool, torch.no_grad():
        for make in MODELS.values():
            model = make().eval().requires_grad_(False)
            answer = pool.apply(outputs_of, (model, IMAGES))
            torch.testing.assert_close(tuple(answer), tuple(outputs_of(model, IMAGES)))


def test_a_compiled_model_gives_the_same(model):
    caller = adapted(model)
    compiled = torch.compile(caller, backend="eager")
    with torch.no_grad():
        for batch in (IMAGES, IMAGES.flip(3)):
            torch.testing.assert_close(compiled(batch), caller(batch))
            own, others = caller(batch, outputs="all"), compiled(batch, outputs="all")
            torch.testing.assert_close(tuple(others), tuple(own))
    assert unwrap(compiled) is unwrap(model)


def test_a_model_is_exported_with_any_batch_size(model):
    caller = adapted(model)
    batch = torch.export.Dim("batch", min=2)
    with torch.no_grad():
        exported = torch.export.export(caller, (IMAGES,), dynamic_shapes={"images": {0: batch}})
        more = torch.cat([IMAGES, IMAGES.flip(3), IMAGES])
        torch.testing.assert_close(exported.module()(more), caller(more))


def test_averaged_weights_are_a_model_too(model):
    averaged = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.5)).eval()
    averaged.update_parameters(model)
    assert type(averaged.module) is type(model)
    assert unwrap(averaged) is unwrap(averaged.module)
    for own, others in zip(outputs_of(model, IMAGES), outputs_of(averaged, IMAGES), strict=True):
        torch.testing.assert_close(others, own)


@pytest.fixture
def process_group(tmp_path):
    distributed.init_process_group("gloo", f"file://{tmp_path}/store", rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


def test_distributed_models_give_logits_features_and_gradients(model, process_group):
    before = copy.deepcopy(model)
    for wrapped in (
        DistributedDataParallel(adapted(model)),
        adapted(DistributedDataParallel(model)),
    ):
        logits, features = outputs_of(wrapped, IMAGES, PIDS)
        torch.testing.assert_close(features, outputs_of(before, IMAGES, PIDS).features)
        loss = F.cross_entropy(logits, PIDS)
        loss.backward()
        assert unwrap(wrapped) is unwrap(model)
        assert all(p.grad is not None for p in model.parameters() if p.requires_grad)
        model.zero_grad()


def test_a_traced_model_gives_the_same(model):
    caller = adapted(model)
    with torch.no_grad():
        traced = torch.jit.trace(caller, (IMAGES,))
        torch.testing.assert_close(traced(IMAGES.flip(3)), caller(IMAGES.flip(3)))
    buffer = io.BytesIO()
    torch.jit.save(traced, buffer)
    assert buffer.tell() > 0


def test_a_model_becomes_an_onnx_file(model, tmp_path):
    onnx = pytest.importorskip("onnx.reference")
    caller, file = adapted(model), str(tmp_path / "model.onnx")
    torch.onnx.export(
        caller,
        (IMAGES,),
        file,
        dynamo=False,
        input_names=["images"],
        dynamic_axes={"images": {0: "batch"}},
    )
    more = torch.cat([IMAGES, IMAGES.flip(3), IMAGES])
    (features,) = onnx.ReferenceEvaluator(file).run(None, {"images": more.numpy()})
    with torch.no_grad():
        torch.testing.assert_close(torch.from_numpy(features), caller(more), atol=1e-4, rtol=1e-3)


def test_nothing_is_left_on_a_foreign_module():
    network = shufflenet_v2_x0_5(num_classes=3)
    plain = pickle.dumps({key: type(value) for key, value in vars(network).items()})
    adapted(network)(torch.zeros(2, 3, 64, 32), outputs="all", pids=PIDS)
    assert plain == pickle.dumps({key: type(value) for key, value in vars(network).items()})
    assert not any(layer._forward_hooks for layer in network.modules())
    assert type(network) is type(shufflenet_v2_x0_5(num_classes=3))
    assert isinstance(network.fc, nn.Linear)
