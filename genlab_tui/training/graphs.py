"""A step of training recorded once as a CUDA graph and replayed: small networks are not bound by launches.

Everything that changes from step to step lies in buffers that stay where they are: inputs, targets, masks, the factor
on the learning rate and the number of the step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor

from genlab_tui.training.losses import Targets

Masks = Sequence[Sequence[Tensor]]
Body = Callable[[Sequence[Tensor], Targets, Masks, "float | Tensor", "int | Tensor"], Tensor]
"""Takes a step: inputs, targets, masks, factor on the learning rate, number of the step from 1; gives the losses."""

WARM_UP = 3
"""Steps before recording, for libraries that choose their kernels at first use; their effect is undone."""


@dataclass
class _Recorded:
    inputs: list[Tensor]
    targets: Targets
    masks: list[list[Tensor]]
    factor: Tensor
    step: Tensor
    graph: torch.cuda.CUDAGraph | None = None
    losses: Tensor | None = None


class Replay:
    """Takes steps by replaying; records anew for every size of a batch. `moving` is what a step changes.

    Without `record`, the same buffers are used and every step is computed as it comes: how a machine without a GPU runs
    and tests this code.
    """

    def __init__(self, body: Body, moving: Callable[[], Sequence[Tensor]], *, record: bool = True) -> None:
        self._body, self._moving, self._record = body, moving, record
        self._recorded: dict[int, _Recorded] = {}

    def __call__(self, inputs: Sequence[Tensor], targets: Targets, masks: Masks, factor: float, step: int) -> Tensor:
        count = inputs[0].shape[1]
        recorded = self._recorded.get(count)
        if recorded is None:
            recorded = self._recorded[count] = self._prepare(inputs, targets, masks, factor, step)
        for mine, given in zip(recorded.inputs, inputs, strict=True):
            mine.copy_(given, non_blocking=True)
        for field in fields(Targets):
            mine, given = getattr(recorded.targets, field.name), getattr(targets, field.name)
            if mine is not None:
                mine.copy_(given, non_blocking=True)
        for mine_of, given_of in zip(recorded.masks, masks, strict=True):
            for mine, given in zip(mine_of, given_of, strict=True):
                mine.copy_(given, non_blocking=True)
        recorded.factor.fill_(factor)
        recorded.step.fill_(step)
        if recorded.graph is None:
            return self._take(recorded)
        recorded.graph.replay()
        assert recorded.losses is not None
        return recorded.losses.clone()

    def forget(self) -> None:
        """Drop what was recorded: the program has changed."""
        self._recorded.clear()

    def _take(self, recorded: _Recorded) -> Tensor:
        return self._body(recorded.inputs, recorded.targets, recorded.masks, recorded.factor, recorded.step)

    def _prepare(self, inputs: Sequence[Tensor], targets: Targets, masks: Masks, factor: float, step: int) -> _Recorded:
        like = inputs[0]
        of: dict[str, Tensor | None] = {field.name: getattr(targets, field.name) for field in fields(Targets)}
        kept: dict[str, Any] = {name: None if value is None else value.clone() for name, value in of.items()}
        recorded = _Recorded(
            [x.clone() for x in inputs],
            Targets(**kept),
            [[mask.clone() for mask in block] for block in masks],
            torch.full((), factor, dtype=like.dtype, device=like.device),
            torch.full((), float(step), dtype=torch.float32, device=like.device),
        )
        if self._record:
            self._capture(recorded)
        return recorded

    def _capture(self, recorded: _Recorded) -> None:
        with torch.cuda.device(recorded.factor.device):
            self._capture_here(recorded)

    def _capture_here(self, recorded: _Recorded) -> None:
        before = [tensor.clone() for tensor in self._moving()]
        aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(WARM_UP):
                self._take(recorded)
        torch.cuda.current_stream().wait_stream(aside)
        for tensor, value in zip(self._moving(), before, strict=True):
            tensor.copy_(value)
        recorded.graph = torch.cuda.CUDAGraph()
        # Of this thread alone: other shards record on their own GPUs at the same time.
        with torch.cuda.graph(recorded.graph, capture_error_mode="thread_local"):
            recorded.losses = self._take(recorded)


def precision(name: str, device: torch.device) -> None:
    """Allow or forbid TF32 products on a GPU, for everything from now on."""
    if device.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = name != "float32"
        torch.backends.cudnn.allow_tf32 = name != "float32"


def autocast(name: str, device: torch.device) -> AbstractContextManager[object]:
    """Return the context in which a forward pass is computed: in bfloat16 where a recipe allows it."""
    return torch.autocast(device.type, torch.bfloat16) if name == "bf16" else nullcontext()
