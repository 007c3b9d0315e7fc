"""The loop: killed and resumed equals not killed, parts equal the whole, and what goes wrong leaves no harm."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.training import toy

from cinescope.training import checkpoint
from cinescope.training.data import Stopped
from cinescope.training.loop import train
from cinescope.training.settings import TrainSettings
from cinescope.types import BadQueryError, CinescopeError

ABOUT = {"name": "toy"}


def run(folder: Path, resume: bool = False, cancelled: Any = None, data: Any = None, **settings: Any) -> Any:
    model = toy.spec(settings.pop("dropout", 0.0)).build(3)
    told = {"epochs": 3, "batch": 8, "precision": "fp32", "lr": 0.01, **settings}
    data = data or toy.data(told["batch"], told.get("seed", 0))
    history = train(model, toy.task(), data, TrainSettings(**told), folder, ABOUT, resume=resume, cancelled=cancelled)
    return model, history


def same(a: torch.nn.Module, b: torch.nn.Module) -> bool:
    ours, theirs = a.state_dict(), b.state_dict()
    return all(torch.equal(ours[n], theirs[n]) for n in ours)


class After:
    """Says stop after so many steps."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0


@pytest.mark.parametrize("steps", [1, 6, 8, 13])
def test_resumed_equals_not_stopped(tmp_path: Path, steps: int) -> None:
    whole, history = run(tmp_path / "whole", dropout=0.5, ema=0.9)
    with pytest.raises(Stopped):
        run(tmp_path / "cut", dropout=0.5, ema=0.9, cancelled=After(steps))
    again, resumed = run(tmp_path / "cut", resume=True, dropout=0.5, ema=0.9)
    assert same(whole, again)
    for entry, other in zip(history.entries, resumed.entries, strict=True):
        assert {**entry, "seconds": 0} == {**other, "seconds": 0}
    last = [checkpoint.read(tmp_path / w / "last", with_state=True) for w in ("whole", "cut")]
    assert all(torch.equal(last[0].model[n], last[1].model[n]) for n in last[0].model)


def test_a_killed_process_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    whole, _ = run(tmp_path / "whole", dropout=0.5, save_steps=2)
    code = (
        "import os, sys; from pathlib import Path; from tests.training.test_training_loop import run\n"
        "n = 0\n"
        "def kill():\n"
        "    global n; n += 1\n"
        "    if n == 10: os.kill(os.getpid(), 9)\n"
        "    return False\n"
        "run(Path(sys.argv[1]), dropout=0.5, save_steps=2, cancelled=kill)\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "cut")], cwd=root, env=os.environ, check=False)
    assert done.returncode == -9
    again, _ = run(tmp_path / "cut", resume=True, dropout=0.5, save_steps=2)
    assert same(whole, again)


def test_parts_of_a_batch_give_its_gradient(tmp_path: Path) -> None:
    whole, _ = run(tmp_path / "a", epochs=2)
    parts, _ = run(tmp_path / "b", epochs=2, parts=3)
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(parts.state_dict()[name], value, rtol=0, atol=1e-5)


def test_it_learns_and_keeps_the_best(tmp_path: Path) -> None:
    _, history = run(tmp_path, epochs=20, lr=0.02)
    assert history.best >= 0.9
    assert history.entries[-1]["train"]["cross_entropy"] < history.entries[0]["train"]["cross_entropy"] / 2
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == list(range(1, 21))


def test_patience_stops_early(tmp_path: Path) -> None:
    _, history = run(tmp_path, epochs=60, lr=0.02, patience=2)
    assert history.stopped_early
    assert len(history.entries) < 60


def test_nan_stops_and_leaves_the_batch(tmp_path: Path) -> None:
    with pytest.raises(CinescopeError, match=r"NaN or infinite at step \d+.*nan-batch") as told:
        run(tmp_path, data=toy.data(spoilt=11))
    assert "'sound' holds values that are no numbers" in told.value.do
    from safetensors import safe_open

    with safe_open(str(tmp_path / "nan-batch.safetensors"), "pt") as held:
        assert "row11" in json.loads(held.metadata()["keys"])


def test_a_full_disk_keeps_the_last_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, written = checkpoint._put, []

    def full(file: Path, data: bytes) -> None:
        written.append(file)
        if len(written) > 12:
            file.write_bytes(data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        real(file, data)

    monkeypatch.setattr(checkpoint, "_put", full)
    with pytest.raises(CinescopeError, match=r"the disk is full; the one before is whole"):
        run(tmp_path, epochs=6)
    monkeypatch.setattr(checkpoint, "_put", real)
    assert checkpoint.read(tmp_path / "last", with_state=True).state is not None
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []
    whole, _ = run(tmp_path.with_name("whole"), epochs=6)
    again, _ = run(tmp_path, epochs=6, resume=True)
    assert same(whole, again)


def test_resuming_with_other_settings_is_refused(tmp_path: Path) -> None:
    run(tmp_path, epochs=1)
    with pytest.raises(BadQueryError, match="begun with epochs 1 and the recipe says 2"):
        run(tmp_path, epochs=2, resume=True)


def test_a_learning_rate_is_found(tmp_path: Path) -> None:
    _, history = run(tmp_path, lr="find", epochs=20)
    assert history.best >= 0.9


def test_random_state_of_the_caller_stays(tmp_path: Path) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    run(tmp_path, epochs=1)
    assert torch.equal(torch.get_rng_state(), before)


RANKS = """
import sys
from pathlib import Path
from cinescope.training import ranks
ranks.start()
from tests.training.test_training_loop import run
model, _ = run(Path(sys.argv[1]), epochs=2, batch=7, shard=sys.argv[2])
ranks.stop()
"""


@pytest.mark.parametrize("shard", ["ddp", "fsdp"])
def test_two_processes_equal_one(tmp_path: Path, shard: str) -> None:
    one, _ = run(tmp_path / "one", epochs=2, batch=7)
    code = tmp_path / "ranks.py"
    code.write_text(RANKS)
    root = Path(__file__).parents[2]
    env = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(code),
         str(tmp_path / "two"), shard],
        cwd=root, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    two = checkpoint.read(tmp_path / "two" / "best").model
    for name, value in one.state_dict().items():
        torch.testing.assert_close(two[name], value, rtol=0, atol=1e-5)
