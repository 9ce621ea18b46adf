"""What is refused before processes form a group, and the group's start and end."""

from __future__ import annotations

import socket

import pytest
import torch
import torch.distributed as dist

from reidcore.engine import (
    barrier,
    broadcast_object,
    gather_differentiably,
    gather_objects,
    gather_rows,
    join_processes,
    reduce_mean,
)
from reidcore.engine.process_group import all_true, check_group
from reidcore.errors import UserError

CPU, CUDA, MPS = map(torch.device, ("cpu", "cuda", "mps"))


@pytest.fixture
def launch(monkeypatch: pytest.MonkeyPatch):
    """Return a function that sets a launcher's variables: those of one process on a free port."""

    def launch(world: int = 1, **further: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        given = {"WORLD_SIZE": str(world), "RANK": "0", "LOCAL_RANK": "0"}
        given |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        for name, value in (given | further).items():
            monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name, raising=False)

    return launch


def test_one_process_forms_no_group_and_talks_to_itself(launch) -> None:
    launch()
    with join_processes():
        assert not dist.is_initialized()
        rows = torch.ones(2, 3, requires_grad=True)
        assert broadcast_object("a") == "a"
        assert gather_objects(1) == [1]
        assert torch.equal(gather_rows(rows), rows)
        assert not gather_rows(rows).requires_grad
        assert gather_differentiably(rows) is rows
        assert reduce_mean({"loss": 2.0}) == {"loss": 2.0}
        assert [all_true(torch.tensor(flag)) for flag in (True, False)] == [True, False]
        barrier()


def test_a_group_of_the_program_stays(launch) -> None:
    launch()
    dist.init_process_group("gloo", rank=0, world_size=1)
    try:
        launch(2)
        with join_processes():
            assert dist.get_world_size() == 1
        assert dist.is_initialized()
    finally:
        dist.destroy_process_group()


def test_hosts_that_do_not_reach_one_another_are_told_what_to_set(
    launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise RuntimeError("Gloo connectFullMesh failed\nframe #0: ...")

    launch(2)
    monkeypatch.setattr(dist, "init_process_group", refuse)
    told = r"Gloo connectFullMesh failed\. Between hosts.*GLOO_SOCKET_IFNAME"
    with pytest.raises(UserError, match=told), join_processes():
        pass


@pytest.mark.parametrize("value", ["two", "0", "-1", "1.5"])
def test_a_number_of_processes_that_is_none_is_refused(launch, value: str) -> None:
    launch(WORLD_SIZE=value)
    with pytest.raises(UserError, match=f"WORLD_SIZE='?{value}"), join_processes():
        pass


def test_what_the_launcher_left_out_is_named(launch) -> None:
    launch(2, RANK="", MASTER_ADDR="")
    with pytest.raises(UserError, match=r"no RANK and no MASTER_ADDR.*torchrun"), join_processes():
        pass


def test_processes_without_a_group_are_refused(launch) -> None:
    launch(2)
    with pytest.raises(UserError, match=r"2 processes.*form no process group"):
        check_group(CPU)
    launch(1)
    check_group(CPU)


def test_processes_on_mps_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reidcore.engine.process_group.rank_and_world", lambda: (0, 2))
    with pytest.raises(UserError, match=r"MPS.*use_gpu=false"):
        check_group(MPS)
    check_group(CPU)


def test_a_process_without_a_gpu_of_its_own_is_refused(launch, monkeypatch) -> None:
    launch(2, LOCAL_RANK="1")
    monkeypatch.setattr("reidcore.engine.process_group.rank_and_world", lambda: (1, 2))
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    monkeypatch.setattr("torch.distributed.get_backend", lambda: "gloo")
    check_group(CUDA)  # a program's own group may share a GPU
    monkeypatch.setattr("torch.distributed.get_backend", lambda: "nccl")
    with pytest.raises(UserError, match=r"process 1 of this host has no GPU.*nproc-per-node=1"):
        check_group(CUDA)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    check_group(CUDA)
