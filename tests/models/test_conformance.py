"""The conformance suite itself: what conforms passes every check, and each check finds the fault made for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from tests.models import broken_encoders as e  # noqa: E402
from tests.models import broken_fusions as f  # noqa: E402

from cinescope.models.conformance import (  # noqa: E402
    Finding,
    check,
    check_encoder,
    check_fusion,
    check_head,
    check_pooling,
    kind_of,
)
from cinescope.types import BadQueryError, MissingPartError  # noqa: E402

FAULTS: list[tuple[Callable[..., list[Finding]], Any, str, str]] = [
    (check_encoder, e.NeedsMore, "builds", "TypeError"),
    (check_encoder, e.NoModule, "builds", "NoModule, not a torch.nn.Module"),
    (check_encoder, e.UnseededStart, "builds", "'each.weight' (16, 20)"),
    (check_encoder, e.WrongDim, "attributes", "its dim is 17"),
    (check_encoder, e.TakesNothing, "attributes", "takes is 'films'"),
    (check_encoder, e.GivesTensor, "shapes", "Tensor, not Sequences"),
    (check_encoder, e.NeedsTwoSteps, "shapes", "needs two steps"),
    (check_encoder, e.LosesRows, "shapes", "rows with true steps were [True, True, True, False]"),
    (check_encoder, e.LateClock, "times", "leave the input's 0 to 4 seconds"),
    (check_encoder, e.FallingClock, "times", "do not rise"),
    (check_encoder, e.ReadsPadding, "padding content", "with 1e+09 in padding in eval mode"),
    (check_encoder, e.BatchNormed, "padding amount", "in train mode"),
    (check_encoder, e.CountsPadding, "padding amount", "5 more steps of padding in eval mode"),
    (check_encoder, e.SeesOtherRows, "batch composition", "row 0 alone and in a batch"),
    (check_encoder, e.DividesByNothing, "absent rows", "gradient of 'mean.weight' (16, 20) is not finite"),
    (check_encoder, e.AbsentComesBack, "absent rows", "true steps for the absent row"),
    (check_encoder, e.Forgotten, "gradients", "unused.weight, unused.bias (of 6 parameters)"),
    (check_encoder, e.Noisy, "deterministic", "called twice in eval mode"),
    (check_encoder, e.Counts, "deterministic", "changes 'calls'"),
    (check_encoder, e.Unsaved, "save and load", "saved and loaded"),
    (check_encoder, e.Cancels, "bf16", "of its norm, 10% is allowed"),
    (check_encoder, e.FixedLength, "onnx", "ONNX Runtime on"),
    (check_encoder, e.Raises, "shapes", "raises KeyError"),
    (check_pooling, e.NoDim, "attributes", "its dim is None"),
    (check_pooling, e.KeepsTime, "shapes", "(4, 6, 12) instead of (4, 12)"),
    (check_pooling, e.LeavesBias, "zeros", "gives numbers up to"),
    (check_pooling, e.PoolsPadding, "padding content", "with nan in padding"),
    (check_fusion, f.SortsRoles, "attributes", "instead of ('video', 'sound', 'speech')"),
    (check_fusion, f.SaysNothing, "attributes", "does not say whether it is additive"),
    (check_fusion, f.GivesPooled, "shapes", "Tensor, not Fused"),
    (check_fusion, f.DropsParts, "shapes", "parts are ['video'] instead of"),
    (check_fusion, f.EarlyClock, "times", "leave the inputs'"),
    (check_fusion, f.CountsLacking, "missing role", "'video' not in the batch"),
    (check_fusion, f.NeedsAll, "missing role", "KeyError"),
    (check_fusion, f.NeedsTwo, "one role alone", "not enough values"),
    (check_fusion, f.OnlyWithAll, "one role alone", "row 2, which has speech"),
    (check_fusion, f.TakesTheBatchsOrder, "other roles", "in another order"),
    (check_fusion, f.SharesWithAbsent, "shares", "has a share in it"),
    (check_fusion, f.SharesTooMuch, "shares", "not to 1"),
    (check_fusion, f.SaysAdditive, "additive", "says it is additive"),
    (check_fusion, f.HidesAdditive, "additive", "says it is not additive"),
    (check_fusion, f.ReadsPadding, "padding content", "with nan in padding"),
    (check_head, f.GivesList, "shapes", "list of 2"),
    (check_head, f.GivesMean, "shapes", "first axis is not the 4 rows"),
    (check_head, f.HeadReadsPadding, "padding content", "with nan in padding"),
]

GOOD = [
    (check_encoder, e.Good),
    (check_pooling, e.GoodPooling),
    (check_fusion, f.Good),
    (check_fusion, f.Additive),
    (check_head, f.GoodHead),
]


@pytest.mark.parametrize(("run", "part"), GOOD)
def test_what_conforms_passes_every_check(run: Callable[..., list[Finding]], part: Any) -> None:
    assert [found for found in run(part) if found.result != "ok"] == []


@pytest.mark.parametrize(("run", "part", "name", "says"), FAULTS, ids=[p.__name__ for _, p, _, _ in FAULTS])
def test_each_fault_is_found(run: Callable[..., list[Finding]], part: Any, name: str, says: str) -> None:
    failed = {found.check: found.note for found in run(part, only=name) if found.result == "failed"}
    assert name in failed, failed
    assert says in failed[name]
    assert "\n" not in failed[name]


@pytest.mark.parametrize(
    ("run", "part"), [(check_encoder, e.Good), (check_pooling, e.GoodPooling), (check_fusion, f.Good)]
)
def test_no_check_is_without_its_fault(run: Callable[..., list[Finding]], part: Any) -> None:
    own = {name for made, _, name, _ in FAULTS if made is run}
    shared = {name for made, _, name, _ in FAULTS if made is check_encoder}
    assert {found.check for found in run(part)} <= own | shared


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        (e.Good, "encoder"), (e.NoDim, "pooling"), (e.GoodPooling, "pooling"), (f.Good, "fusion"),
        (f.GoodHead, "head"), (f.NeedsATokenizer, "head"),
    ],
)  # fmt: skip
def test_the_kind_is_told_by_its_protocol(part: Any, kind: str) -> None:
    assert kind_of(part) == kind


def test_a_strangers_part_by_name() -> None:
    report = check("tests.models.broken_fusions:SharesTooMuch")
    assert (report.kind, report.ok) == ("fusion", False)
    assert [found.check for found in report.failed] == ["shares"]
    text = str(report)
    assert "SharesTooMuch: fusion, " in text
    assert "failed  shares: the shares of a row sum to [3.0, 2.0, 1.0, 3.0], not to 1" in text
    assert "demanded: " in text
    assert check("cinescope.nn.pooling.simple:Mean").ok


def test_settings_that_cannot_be_guessed() -> None:
    report = check(f.NeedsATokenizer)
    assert not report.ok
    assert "the setting 'tokenizer' has no default" in report.findings[0].note
    assert check(f.NeedsATokenizer, {"tokenizer": torch.nn.Identity()}).findings[0].result == "ok"


def test_what_is_no_part() -> None:
    with pytest.raises(BadQueryError, match="does not say where"):
        check("MyFusion")
    with pytest.raises(MissingPartError):
        check("tests.models.broken_fusions:MyFusion")
    with pytest.raises(BadQueryError, match="no kind of part"):
        check(dict)
    with pytest.raises(BadQueryError, match="no check 'speed' for the kind encoder"):
        check(e.Good, only="speed")
    with pytest.raises(BadQueryError, match="no checks for the kind"):
        check(e.Good, kind="loss")
