"""What of several processes one can show; `distributed/` trains among two."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from reidcore.engine import replicas
from reidcore.engine.replicas import Replicas, with_sync_bn
from reidcore.engine.train_state import TrainState
from reidcore.errors import UserError
from reidcore.models import ReidModel
from reidcore.testing import TinyNet, tiny_run

CUDA = torch.device("cuda")


@pytest.fixture
def two_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replicas, "rank_and_world", lambda: (0, 2))


def test_synchronised_layers_keep_names_parameters_and_mode(two_processes: None) -> None:
    model = TinyNet(3)
    model.norm.eval()
    model.norm.weight.requires_grad_(False)
    before = model.state_dict(keep_vars=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    made = with_sync_bn(model, CUDA)
    assert isinstance(made, TinyNet)
    assert isinstance(made.norm, nn.SyncBatchNorm)
    assert not made.norm.training
    after = made.state_dict(keep_vars=True)
    assert list(after) == list(before)
    assert all(after[name] is before[name] for name in before)
    assert {id(each) for each in optimizer.param_groups[0]["params"]} == {
        id(each) for each in made.parameters()
    }


def test_the_head_s_layers_are_synchronised_too(two_processes: None) -> None:
    class Headed(TinyNet):
        def __init__(self) -> None:
            super().__init__(3)
            self.bottleneck = nn.BatchNorm1d(8)

    assert isinstance(with_sync_bn(Headed(), CUDA).bottleneck, nn.SyncBatchNorm)


def test_one_process_needs_no_synchronised_layers(caplog: pytest.LogCaptureFixture) -> None:
    model = TinyNet(3)
    with caplog.at_level("INFO"):
        assert with_sync_bn(model, CUDA) is model
    assert type(model.norm) is nn.BatchNorm2d
    assert "train.sync_bn is without effect on one process" in caplog.text


@pytest.mark.parametrize("device", ["cpu", "mps"])
def test_layers_are_synchronised_on_cuda_alone(device: str) -> None:
    with pytest.raises(UserError, match=f"needs CUDA, and the run is on {device}.*sync_bn=false"):
        with_sync_bn(TinyNet(3), torch.device(device))


@pytest.mark.parametrize(
    ("world", "advice"),
    [
        (1, ": one process normalises by the whole batch"),
        (2, ", and give each process more images"),
    ],
)
def test_the_advice_fits_the_number_of_processes(
    monkeypatch: pytest.MonkeyPatch, world: int, advice: str
) -> None:
    monkeypatch.setattr(replicas, "rank_and_world", lambda: (0, world))
    with pytest.raises(UserError) as refused:
        with_sync_bn(TinyNet(3), torch.device("cpu"))
    assert refused.value.hint.startswith(f"Leave it out (train.sync_bn=false){advice}")


def test_a_run_on_the_cpu_refuses_them_at_its_start(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"train.sync_bn=true needs CUDA"):
        tiny_run(save_dir=tmp_path, overrides=["train.sync_bn=true"])
    assert not list(tmp_path.glob("*.pth.tar*"))


def test_a_layer_that_does_more_than_normalise_is_not_replaced(two_processes: None) -> None:
    class WithActivation(nn.BatchNorm2d):
        def forward(self, input: torch.Tensor) -> torch.Tensor:
            return torch.relu(super().forward(input))

    model = TinyNet(3)
    model.norm = WithActivation(8)
    with pytest.raises(UserError, match=r"'norm' is a WithActivation.*Leave out train.sync_bn"):
        with_sync_bn(model, CUDA)


def test_a_closure_cannot_be_averaged(two_processes: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replicas, "share_in_place", lambda tensors: None)
    model = TinyNet(3)
    optimizer = torch.optim.LBFGS(model.parameters())
    several = Replicas({"model": TrainState(model, optimizer)})
    several.start([optimizer])
    with pytest.raises(UserError, match="LBFGS was given a closure"):
        optimizer.step(lambda: torch.zeros(()))
    several.stop()
    optimizer.step(lambda: torch.zeros((), requires_grad=True))


def test_a_model_in_a_ddp_of_the_user_s_is_called_without(tmp_path) -> None:
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path}/meeting", rank=0, world_size=1
    )
    try:
        wrapped = nn.parallel.DistributedDataParallel(TinyNet(3))
    finally:
        torch.distributed.destroy_process_group()
    state = TrainState(wrapped)
    assert state.model is wrapped
    assert state.adapter is state.network is wrapped.module
    assert isinstance(state.adapter, ReidModel)
