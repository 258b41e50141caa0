"""Networks on partly wrong labels (Arpit et al. 2017): members, samples, and what each part of the labels is scored on.

Of a share of the training samples the label is replaced by another class, never the true one; the rest keep theirs.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from genlab_tui.data import Arrays, corrupt
from genlab_tui.data import arrays as prepare
from genlab_tui.phenomenon import Arm
from genlab_tui.training.members import Member, Recipe, Samples
from genlab_tui.training.probes import Look, Probe


@dataclass(frozen=True)
class Noisy:
    """Members and samples, with the true labels and the place of the wrong ones, both [label sets, n].

    Of labels that are all random, `noisy` marks the samples that a share of wrong labels would have: a part drawn at
    random, so that its two sides differ by chance alone.
    """

    members: list[Member]
    samples: Samples
    true: Tensor
    noisy: Tensor

    def probes(self) -> list[Probe]:
        """Return the curves: accuracy on either part against its labels, and on the noisy one against the true ones."""
        given = self.samples.labels
        return accuracies(
            {
                "clean_fit": (given, ~self.noisy),
                "noisy_fit": (given, self.noisy),
                "recovery": (self.true, self.noisy),
            }
        )


def noisy_labels(
    arrays: Arrays,
    arms: Sequence[Arm],
    seeds: Sequence[int],
    recipe: Recipe,
    *,
    n: int,
    n_test: int,
    share: float,
    device: str = "cpu",
) -> Noisy:
    """Draw splits, labels and inputs of some seeds; a seed has one split, one order and one initialisation.

    Factors of an arm: `noise`, the chance that a label is wrong; `labels`, `random` where all are drawn anew instead
    (the true class among them; `share` then says how large the part is that is marked); `inputs`, `gaussian` for noise
    of the inputs' mean and variance; `dropout`, the strength that it adds to the recipe, 0 for none. Inputs are
    standardised by the mean and the spread of the training pool: a feature's standard deviation, over all, is 1.
    """
    mean, spread = float(arrays.x_train.mean()), float(arrays.x_train.std())
    inputs: list[np.ndarray] = []
    tests: list[np.ndarray] = []
    test_labels: list[np.ndarray] = []
    labels: list[np.ndarray] = []
    true: list[np.ndarray] = []
    noisy: list[np.ndarray] = []
    members: list[Member] = []
    for seed in seeds:
        part = prepare.split(arrays, n, seed, n_test=n_test)
        x = ((part.x_train - mean) / spread).astype(np.float32)
        x_test = ((part.x_test - mean) / spread).astype(np.float32)
        sets: dict[str, int] = {}
        for arm in arms:
            kind = str(arm.factors["inputs"])
            if kind not in sets:
                sets[kind] = len(inputs)
                pair = (x, x_test) if kind == "true" else _gaussian(x, x_test, seed)
                inputs.append(prepare.flatten(pair[0]))
                tests.append(prepare.flatten(pair[1]))
                test_labels.append(part.y_test)
            noise, dropout = float(arm.factors["noise"]), float(arm.factors["dropout"])
            own = replace(recipe, regularisers={**recipe.regularisers, "dropout": dropout}) if dropout else None
            members.append(Member(arm.name, seed, inputs=sets[kind], labels=len(labels), recipe=own))
            wrong = corrupt.wrong_labels(part.y_train, noise, part.classes, seed)
            if arm.factors["labels"] == "random":
                labels.append(corrupt.corrupt_labels(part.y_train, 1.0, part.classes, seed))
                wrong = corrupt.wrong_labels(part.y_train, share, part.classes, seed)
            else:
                labels.append(wrong)
            true.append(part.y_train)
            noisy.append(wrong != part.y_train)
    samples = Samples(
        _tensor(inputs, device),
        _tensor(labels, device),
        _tensor(tests, device),
        _tensor(test_labels, device),
        arrays.classes,
        arrays.shape,
        -mean / spread,
    )
    return Noisy(members, samples, _tensor(true, device), _tensor(noisy, device))


def _gaussian(x: np.ndarray, x_test: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return Gaussian inputs in place of these."""
    train = corrupt.gaussian_inputs(x, x, seed, "train noise")
    return train, corrupt.gaussian_inputs(x_test, x, seed, "test noise")


def _tensor(rows: list[np.ndarray], device: str) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(np.stack(rows))).to(device)


def accuracies(parts: Mapping[str, tuple[Tensor, Tensor]]) -> list[Probe]:
    """Return probes of the accuracy on parts of the training samples, all from one pass through the networks.

    Of each metric, (labels, chosen), both [label sets, n] and looked up by a member's label set: what is right, and the
    samples that count. Without any, a member has NaN. See `probes.accuracy_on` for one at a time.
    """
    last = threading.local()  # shards are measured side by side, each by a thread of its own

    def scores(look: Look) -> dict[str, list[float]]:
        if getattr(last, "look", None) is not look:
            predicted = predictions(look)
            device, n = predicted.device, predicted.shape[1]
            which = torch.tensor([member.labels for member in look.members], device=device)
            last.scores = {}
            for metric, (labels, chosen) in parts.items():
                counted = chosen.to(device)[which][:, :n]
                right = ((predicted == labels.to(device)[which][:, :n]) & counted).sum(1, dtype=torch.float64)
                last.scores[metric] = (right / counted.sum(1)).tolist()
            last.look = look
        found: dict[str, list[float]] = last.scores
        return found

    def probe(metric: str) -> Probe:
        return Probe(metric, lambda look: scores(look)[metric])

    return [probe(metric) for metric in parts]


def predictions(look: Look) -> Tensor:
    """Return the class that each row gives to every training sample, [rows, n]."""
    layout, samples = look.networks.layout, look.samples
    of_group = [look.sets[block.first : block.rows.stop : block.size] for block in layout.blocks]
    found = []
    for start in range(0, look.labels.shape[1], 256):
        stop = min(start + 256, look.labels.shape[1])
        outputs = look.networks.logits([samples.inputs[:, start:stop].index_select(0, own) for own in of_group])
        found.append(outputs.max(1).indices)
    return torch.cat(found, dim=1)
