"""Epoch-wise double descent (Nakkiran et al. 2020): the test error of one large network while it trains."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from functools import partial

from genlab_tui import data
from genlab_tui import events as ev
from genlab_tui.figure import Figure, Line, Reference
from genlab_tui.measures import at_least_seeds, mean
from genlab_tui.peaks import Legs, Profile, curve_profile, first_below, in_standard_errors, legs
from genlab_tui.phenomena._double_descent import networks
from genlab_tui.phenomena._double_descent.config import BASE, LABELS, Config, check_fits, chosen, known
from genlab_tui.phenomenon import Arm, Claim, Context, Criterion, Estimate, Rule, Test
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData
from genlab_tui.stats import summarise
from genlab_tui.training import cost

# Thresholds, fixed before any run that is judged by them.
LEG = 2.0  # standard errors that each leg exceeds: down, up, down again
SEEDS = 5  # with fewer, two standard errors are no evidence
POINTS = 12  # looks at the test error a decade of steps
SINCE = 1.0  # epochs: before the end of the first, test error is that of an untrained network

LEGS = ("fall", "rise", "second_fall")


def plan(config: Config, spec: RunSpec) -> tuple[Arm, ...]:
    """Return one network with noisy labels and one with its control. Raises BadValue."""
    check_fits(spec, "n", config.n)
    networks.check_network(config, spec, "size")
    return tuple(
        Arm(kind, LABELS[kind], networks.factors(config, kind, config.size), control=networks.is_control(config, kind))
        for kind in networks.labels(config)
    )


def estimate(config: Config, spec: RunSpec) -> Estimate:
    """Return networks, seconds and memory."""
    arms = chosen(plan(config, spec), spec)
    parameters = networks.parameters_of(config, spec, arms)
    seconds = cost.seconds(
        int(parameters) * spec.seeds, config.n, config.batch, [config.epochs], spec.device, spec.regularisers
    )
    each = networks.seed_bytes(config, spec, config.n, parameters)
    return Estimate(len(arms) * spec.seeds, seconds, BASE + each * min(spec.seeds, cost.at_once(each, spec.device)))


def run(config: Config, context: Context) -> Iterator[ev.Event]:
    """Train the networks of all seeds, measured at steps that lie evenly on a logarithmic scale."""
    spec = context.spec
    arrays = data.load(spec.data, context.data_dir)
    each = networks.seed_bytes(config, spec, config.n, networks.parameters_of(config, spec, context.arms))
    groups = networks.seed_groups(context, each)
    for at, (name, seeds) in enumerate(groups):
        yield from context.stage(name, partial(_train, config, context, arrays, seeds, name, at, len(groups)))


def _train(
    config: Config, context: Context, arrays: data.Arrays, seeds: Sequence[int], name: str, at: int, groups: int
) -> Generator[ev.Event, None, networks.Ends]:
    from genlab_tui.training.train import Share, train

    recipe = networks.recipe_of(config, context.spec, log_points=POINTS)
    members, samples = networks.draw(config, context, arrays, context.arms, seeds, recipe, config.n)
    state = yield from train(members, samples, recipe, context, cohort=name, share=Share(at / groups, 1 / groups))
    return state.ends


# --- figures ----------------------------------------------------------------------------------------------------------


def _errors(run_data: RunData, arm: str, metric: str = "test_accuracy") -> Profile:
    """Return an arm's error over epochs, from the first whole one on."""
    found = curve_profile(run_data, metric, arm, SINCE)
    return Profile(found.x, {seed: tuple(1 - value for value in row) for seed, row in found.per_seed.items()})


def figures(config: Config, run_data: RunData) -> tuple[Figure, ...]:
    """Return test and training error over epochs, also of data still coming."""
    judged = run_data.arms[0].name if run_data.arms else ""
    fit = _errors(run_data, judged, "train_accuracy")
    place = first_below(fit.mean, networks.FITS)
    marks: tuple[Reference, ...] = ()
    if place is not None:
        marks = (
            Reference(fit.x[place], f"training error ≤ {networks.FITS:.0%} from epoch {fit.x[place]:.0f} on", "x"),
        )
    guessing = Reference(1 - 1 / known(run_data.spec).classes, "guessing")
    note = f"one network of width {config.size}; line: mean over seeds, band: 1 standard deviation"

    def lines(metric: str) -> tuple[Line, ...]:
        return tuple(line for arm in run_data.arms for line in _line(arm.title, _errors(run_data, arm.name, metric)))

    return (
        Figure("error", "Test error over epochs", "epoch", "test error", lines("test_accuracy"), (*marks, guessing),
               log_x=True, note=note),
        Figure("fit", "Training error over epochs", "epoch", "training error", lines("train_accuracy"), marks,
               log_x=True, note=note),
    )  # fmt: skip


def _line(label: str, found: Profile) -> tuple[Line, ...]:
    if not found.per_seed:
        return ()
    at = [summarise(column) for column in zip(*found.per_seed.values(), strict=True)]
    low, high = tuple(s.mean - s.sd for s in at), tuple(s.mean + s.sd for s in at)
    return (Line(label, found.x, found.mean, low, high, n=tuple(s.n for s in at)),)


# --- claims -----------------------------------------------------------------------------------------------------------


def leg_test(
    words: str, of: Callable[[RunData], Mapping[int, Legs]], names: Sequence[str], needs: tuple[str, ...]
) -> Test:
    """Return the test of the weakest of some legs, in standard errors of its mean over the seeds.

    A curve has a leg where it is longer than two of them; it falls, rises and falls again where the weakest is.
    """

    def weakest(run_data: RunData) -> dict[int, float]:
        found = of(run_data)
        each = [in_standard_errors({seed: getattr(own, name) for seed, own in found.items()}) for name in names]
        return min(each, key=mean)

    return Test(words, weakest, Rule(low=LEG, strict=True), needs, lambda d: mean(weakest(d)))


def claims(config: Config, spec: RunSpec) -> tuple[Claim, ...]:
    """Return the claim that test error falls, rises and falls again, and whether it ends below its first minimum."""
    kind, control = networks.labels(config)

    def found(run_data: RunData, arm: str = kind) -> dict[int, Legs]:
        return legs(_errors(run_data, arm))

    def gain(run_data: RunData) -> dict[int, float]:
        return {seed: own.second_fall - own.rise for seed, own in found(run_data).items()}

    def fitted(run_data: RunData) -> dict[int, float]:
        return networks.train_error(run_data, kind)

    fits = Test("training error at the end", fitted, Rule(high=networks.FITS, every=True), (kind,))
    enough = at_least_seeds(SEEDS, "test_error", kind)
    whole = leg_test("weakest of the three legs", found, LEGS, (kind,))
    quiet = leg_test(f"weakest of the three legs, {LABELS[control]}", partial(found, arm=control), LEGS, (control,))
    words = ("test error falls to its first minimum", "rises from there to its peak", "falls from the peak to the end")
    each = [leg_test(what, found, (name,), (kind,)) for what, name in zip(words, LEGS, strict=True)]
    better = Test("first minimum of the test error minus that at the end", gain, Rule(low=0.0, strict=True), (kind,))
    return (
        Claim(
            f"test error falls, rises and falls again over epochs, {LABELS[kind]}",
            "While a large network trains, its test error has a first minimum, a peak about when it has learnt its "
            "noisy labels, and falls a second time.",
            (
                Criterion(whole, fits, quiet, unit="standard errors"),
                *(Criterion(test, enough, unit="standard errors") for test in each),
            ),
            paper="Nakkiran et al. 2020",
        ),
        Claim(
            f"second descent over epochs beats the first minimum, {LABELS[kind]}",
            "Training to the end gives a lower test error than stopping at the first minimum.",
            (Criterion(better, fits),),
            main=False,
        ),
    )
