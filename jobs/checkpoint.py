"""Checkpoints of an open stage: one safetensors file, replaced atomically, with what it belongs to in its header."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from genlab_tui.phenomenon import Checkpoint
from genlab_tui.safe_io import atomic_write

_KEY = "genlab"


@dataclass(frozen=True)
class Label:
    """What a checkpoint belongs to."""

    stage: str
    step: int
    attempt: int
    meta: dict[str, Any]
    cohort: str = ""
    finished: tuple[str, ...] = ()


def save(path: Path, checkpoint: Checkpoint, *, stage: str, attempt: int) -> None:
    """Write a checkpoint. Tensors go over the CPU; numpy arrays alone do not load torch. Raises OSError."""
    label = Label(stage, checkpoint.step, attempt, dict(checkpoint.meta), checkpoint.cohort, checkpoint.finished)
    atomic_write(path, _encode(checkpoint.arrays, {_KEY: msgspec.json.encode(label).decode()}))


def _encode(arrays: Mapping[str, Any], header: dict[str, str]) -> bytes:
    import numpy as np

    if all(isinstance(array, np.ndarray) for array in arrays.values()):
        from safetensors.numpy import save as save_numpy

        # A copy in C order: the format knows no strides, and ascontiguousarray would give a scalar a dimension.
        return bytes(save_numpy({name: np.array(array, order="C") for name, array in arrays.items()}, header))
    import torch
    from safetensors.torch import save as save_torch

    # Clones: the format refuses tensors that share memory, such as tied weights.
    tensors = {name: torch.as_tensor(array).detach().cpu().contiguous().clone() for name, array in arrays.items()}
    return bytes(save_torch(tensors, header))


def read_label(path: Path) -> Label | None:
    """Return what a checkpoint belongs to, or None where there is none that can be read."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            header = file.metadata() or {}
        return msgspec.json.decode(header[_KEY], type=Label)
    except (OSError, SafetensorError, KeyError, msgspec.MsgspecError):
        return None


def load(path: Path, label: Label) -> Checkpoint:
    """Return a checkpoint with torch tensors on the CPU; torch is loaded only where it has any."""
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        empty = not file.keys()
    if empty:
        return Checkpoint(label.step, {}, label.meta, label.cohort, label.finished)
    from safetensors.torch import load_file

    return Checkpoint(label.step, load_file(path), label.meta, label.cohort, label.finished)
