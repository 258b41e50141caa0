"""Classifiers of slab samples: what they are trained and tested on, and how well they rank when inputs are permuted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from genlab_tui.training.members import Member, Samples
from genlab_tui.training.probes import Look, Probe
from genlab_tui.training.slab_samples import SIMPLE, Floats, Slabs, auc, draw, permuted, rotation

VERSIONS = {"auc": None, "auc_simple_permuted": [SIMPLE], "auc_complex_permuted": slice(SIMPLE + 1, None)}
"""The metrics and the columns of the test inputs that are permuted for them."""
AT_ONCE = 1024
"""Test samples in one pass."""


def slab_members(
    kind: Slabs, arms: Sequence[tuple[str, bool]], seeds: Sequence[int], n: int, n_test: int, device: str
) -> tuple[list[Member], Samples, list[Probe]]:
    """Draw the samples of every seed; return members, samples and the probes of the test AUC.

    `arms` are names and whether the simple coordinate of the training inputs is permuted, so that it says nothing. All
    arms of a seed share labels, complex coordinates, test samples, initial weights and order.
    """
    members: list[Member] = []
    inputs: list[Floats] = []
    labels: list[np.ndarray] = []
    tests: dict[str, list[Floats]] = {metric: [] for metric in VERSIONS}
    test_labels: list[np.ndarray] = []
    for seed in seeds:
        turn = rotation(kind, seed)
        x, y = draw(kind, n, seed, "train")
        x_test, y_test = draw(kind, n_test, seed, "test")
        versions = {
            metric: (x_test if columns is None else permuted(x_test, columns, seed, f"test {metric}")) @ turn
            for metric, columns in VERSIONS.items()
        }
        for name, without in arms:
            members.append(Member(name, seed, inputs=len(inputs), labels=len(labels)))
            inputs.append((permuted(x, [SIMPLE], seed, "train") if without else x) @ turn)
            labels.append(y)
            test_labels.append(y_test)
            for metric, version in versions.items():
                tests[metric].append(version)

    def tensor(rows: list[Floats]) -> Tensor:
        return torch.from_numpy(np.stack(rows).astype(np.float32)).to(device)

    held = {metric: tensor(rows) for metric, rows in tests.items()}
    wanted = np.stack(test_labels)
    samples = Samples(
        tensor(inputs),
        torch.from_numpy(np.stack(labels)).to(device),
        held["auc"],
        torch.from_numpy(wanted).to(device),
        2,
        (kind.features,),
    )
    return members, samples, [auc_on(metric, held[metric], wanted) for metric in VERSIONS]


def auc_on(metric: str, inputs: Tensor, labels: np.ndarray) -> Probe:
    """Return a probe of the AUC of logit 1 minus logit 0 on inputs [sets, k, d] with labels [sets, k], 0 or 1."""

    def measure(look: Look) -> list[float]:
        layout, own_inputs = look.networks.layout, inputs.to(look.sets.device)
        of_group = [look.sets[block.first : block.rows.stop : block.size] for block in layout.blocks]
        parts = []
        for start in range(0, inputs.shape[1], AT_ONCE):
            batch = own_inputs[:, start : start + AT_ONCE]
            z = look.networks.logits([batch.index_select(0, own) for own in of_group])
            parts.append((z[:, 1] - z[:, 0]).double().cpu())
        scores = torch.cat(parts, dim=1).numpy()
        return [auc(row, labels[int(at)]) for row, at in zip(scores, look.sets.tolist(), strict=True)]

    return Probe(metric, measure)
