"""Grokking (Power et al. 2022): a network fits a table of modular arithmetic at once and understands it long after.

Protocol: a o b modulo a prime, both symbols embedded, a share of the table trained on by full-batch AdamW far beyond
the fit. Scaled down: the two embeddings side by side into a ReLU perceptron; the papers' transformers as presets. Pairs
are held out with their mirror images, so that knowing a + b = b + a gives nothing away; an arm shows what it would.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator

from genlab_tui import events as ev
from genlab_tui.figure import Figure
from genlab_tui.papers import ADAMW, NANDA, POWER
from genlab_tui.phenomena._grokking.claims import LATE, claims
from genlab_tui.phenomena._grokking.config import (
    CONTROL,
    FIT,
    GENERAL,
    LEAK,
    MAIN,
    MLP,
    SPLITS,
    SUMMED,
    TRANSFORMER,
    Config,
    estimate,
    expected_steps,
    plan,
)
from genlab_tui.phenomena._grokking.figures import figures as draw
from genlab_tui.phenomena._grokking.presets import PRESETS
from genlab_tui.phenomenon import Context, Metric, Phenomenon
from genlab_tui.rundata import RunData

STAGE = "networks"


def run(config: Config, context: Context) -> Iterator[ev.Event]:
    """Train all arms of all seeds, step by step together."""

    def train() -> Generator[ev.Event, None, dict[str, int]]:
        return (yield from _train(config, context))

    yield from context.stage(STAGE, train)


def _train(config: Config, context: Context) -> Generator[ev.Event, None, dict[str, int]]:
    import torch

    from genlab_tui.training import grokking
    from genlab_tui.training.pair_block import Net, Protocol, Task
    from genlab_tui.training.pair_mlp import PairMlp
    from genlab_tui.training.pair_transformer import PairTransformer

    def net(summed: bool) -> Net:
        if config.model == MLP:
            return PairMlp(config.p, config.embed, config.hidden, summed)
        normed = config.model == TRANSFORMER
        return PairTransformer(config.p, config.embed, config.layers, config.heads, config.hidden, normed, normed)

    tasks = []
    for arm in context.arms:
        decay, fraction = (float(arm.factors[name]) for name in ("weight decay", "training fraction"))
        leaks = arm.name == LEAK
        waits = arm.name == CONTROL or leaks or fraction < config.fraction
        for seed in context.spec.seed_list:
            task = Task(
                arm.name,
                seed,
                net(leaks or config.embedding == SUMMED),
                decay,
                fraction,
                ordered=leaks or config.split == SPLITS[1],
                capped=MAIN if waits else "",
                expected=expected_steps(config, arm),
            )
            tasks.append(task)
    rule = Protocol(
        config.operation,
        config.p,
        config.steps,
        config.lr,
        (config.beta1, config.beta2),
        FIT,
        GENERAL,
        config.cap,
        config.warmup,
        config.batch,
        getattr(torch, config.precision),
    )
    return (yield from grokking.train(tasks, rule, context, cohort=STAGE))


def figures(run_data: RunData) -> tuple[Figure, ...]:
    """Return the figures of a run."""
    return draw(PHENOMENON.config_of(run_data.spec), run_data)


def _metric(name: str, label: str, *, log: bool = False, higher: bool = False, unit: str = "") -> Metric:
    return Metric(name, label, log=log, higher_is_better=higher, unit=unit, log_step=True)


PHENOMENON = Phenomenon(
    name="grokking",
    title="Grokking",
    group="Dynamics",
    question="Can a network generalise long after it has fitted its training data?",
    explanation=(
        "A network sees a part of the table of a + b modulo a prime and learns it by heart within some dozen steps: "
        "its training accuracy is 100 %, on the rest of the table it is no better than chance, and nothing in the "
        "training accuracy moves any more. Whoever stops here has seen plain overfitting. Power et al. went on "
        "training and found that, very much later, the network suddenly gets the held-out pairs right as well: it has "
        "replaced the memorised table by a rule. Weight decay is what drives it: a rule needs smaller weights than a "
        "table, and from the fit on the norm falls (Nanda et al. read the rule off a trained transformer and saw it "
        "grow long before the test accuracy does). Read the first figure on its logarithmic axis of steps: train "
        "accuracy rises at the first mark, test accuracy at the second, and the distance between them is the delay. "
        "The control is the same network without weight decay, which gets twice the steps and stays at chance. What "
        "looks like early generalisation can be a leak: where the network cannot tell (a, b) from (b, a), every pair "
        "whose mirror image is trained on is known at once; so pairs are held out with their mirror images, and one "
        "arm (of addition and multiplication) shows what happens otherwise. More weight decay and more data make it "
        "happen sooner; with little data it does not happen in the time given. That short time is a choice of rates: "
        "the paper waited a million steps."
    ),
    papers=(POWER, NANDA, ADAMW),
    config=Config,
    presets=PRESETS,
    data=(),
    plan=plan,
    estimate=estimate,
    figures=figures,
    claims=claims,
    run=run,
    metrics=(
        _metric("train_accuracy", "train accuracy", higher=True),
        _metric("test_accuracy", "test accuracy", higher=True),
        _metric("train_loss", "training loss", log=True, unit="nats"),
        _metric("test_loss", "test loss", log=True, unit="nats"),
        _metric("weight_norm", "norm of all numbers", log=True),
    ),
    headline=(LATE, "general_step:decay", "fit_step:decay", "best_test:no-decay", "leakage:decay"),
    in_flight=lambda config: False,
    weight_decay=lambda config: "decoupled (AdamW), on all numbers: embeddings, matrices and biases",
    precision="float32 (a field: float64)",
    panels=("grokking", "decays", "fractions", "leak"),
)
