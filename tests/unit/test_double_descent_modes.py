"""The other modes of double descent: arms, refusals, verdicts on data made to pass, fail and be unclear."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from genlab_tui.errors import BadValue
from genlab_tui.peaks import Profile, curve_profile, in_standard_errors, largest_rise, legs
from genlab_tui.phenomena.double_descent import PHENOMENON, grid
from genlab_tui.phenomenon import config_values
from genlab_tui.run import RunSpec
from genlab_tui.rundata import Curve, RunData
from genlab_tui.training import ensemble, reuse
from genlab_tui.training.members import Member
from genlab_tui.verdict import Status, Verdict, judge

Row = tuple[float, ...]


def _spec(preset: str, data: str = "", seeds: int = 0, arms: tuple[str, ...] = (), **values: Any) -> RunSpec:
    chosen = PHENOMENON.preset(preset)
    config = config_values(PHENOMENON.make_config(preset, values))
    return RunSpec(
        "00000001", "double-descent", config, data=data or chosen.data, seeds=seeds or chosen.seeds, arms=arms
    )


def _run_data(spec: RunSpec, measures: dict[str, dict[tuple[str, int], float]], **more: Any) -> RunData:
    return RunData(spec, PHENOMENON.arms_of(spec), spec.seed_list, measures=measures, **more)


def _statuses(verdict: Verdict) -> list[Status]:
    return [claim.status for claim in verdict.claims]


def _noise(seed: int, place: int) -> float:
    """A little of a seed's own, the same in every test: without any, a mean has no error."""
    return 0.002 * random.Random(f"{seed} {place}").uniform(-1, 1)


# --- the modes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("preset", "values", "words"),
    [
        ("quick", {"sweep": "epochs"}, "random features are not swept over epochs"),
        ("quick", {"sweep": "ensemble"}, "random features are not swept over ensemble"),
        ("epoch-wise", {"start": "reuse"}, "start = reuse is for networks over the width"),
        ("epoch-wise", {"n": 1201}, "1200 training samples of digits"),
        ("sample-wise", {"samples": "30 1000"}, "1200 training samples of digits"),
        ("sample-wise-network", {"samples": "30 1201"}, "1200 training samples of digits"),
        ("ensemble", {"noise": 0}, "ensembles need the peak"),
        ("ensemble", {"network": "cnn-5"}, "ensembles are of perceptrons"),
        ("lillog-reuse", {"network": "resnet-18"}, "weights of resnet-18 are not reused"),
        ("network", {"network": "cnn-5", "hidden": "600"}, "600"),
    ],
)
def test_what_makes_no_sense_is_said_before_launch(preset: str, values: dict[str, Any], words: str) -> None:
    with pytest.raises(BadValue, match=words):
        PHENOMENON.arms_of(_spec(preset, **values))


def test_networks_of_images_are_refused_where_there_are_none() -> None:
    with pytest.raises(BadValue, match="needs images"):
        PHENOMENON.arms_of(_spec("network", data="mnist1d", network="cnn-5"))
    assert len(PHENOMENON.arms_of(_spec("network", network="cnn-5", hidden="1 2"))) == 4


def test_an_average_needs_its_networks_and_a_chain_all_its_widths() -> None:
    with pytest.raises(BadValue, match="made of the networks"):
        PHENOMENON.arms_of(_spec("ensemble", arms=("average-8",)))
    with pytest.raises(BadValue, match="begins with the one before"):
        PHENOMENON.arms_of(_spec("lillog-reuse", arms=("clean-50",)))
    clean = tuple(f"clean-{h}" for h in PHENOMENON.make_config("lillog-reuse").hidden)
    assert len(PHENOMENON.arms_of(_spec("lillog-reuse", arms=clean))) == 27


def test_batch_norm_has_nothing_to_reuse() -> None:
    spec = RunSpec(
        **{f: getattr(_spec("lillog-reuse"), f) for f in ("id", "phenomenon", "config", "data")},
        regularisers={"batch-norm": 0.1},
    )
    with pytest.raises(BadValue, match="batch-norm"):
        PHENOMENON.arms_of(spec)


def test_regularisers_change_in_flight_where_one_training_takes_them_all() -> None:
    assert PHENOMENON.changeable(_spec("ensemble"))
    assert not PHENOMENON.changeable(_spec("lillog-reuse"))
    assert not PHENOMENON.changeable(_spec("sample-wise"))


@pytest.mark.parametrize("preset", list(PHENOMENON.presets))
def test_every_main_claim_has_a_control_with_arms_marked_as_such(preset: str) -> None:
    spec = _spec(preset)
    controls = {arm.name for arm in PHENOMENON.arms_of(spec) if arm.control}
    for claim in PHENOMENON.claims(PHENOMENON.config_of(spec), spec):
        tests = [c.control for c in claim.criteria if c.control]
        assert not claim.main or tests
        assert all(set(test.needs) & controls for test in tests)


@pytest.mark.parametrize("preset", list(PHENOMENON.presets))
def test_figures_and_verdict_of_nothing(preset: str) -> None:
    spec = _spec(preset)
    empty = _run_data(spec, {})
    assert judge(PHENOMENON, spec, empty).status is Status.INCONCLUSIVE
    assert all(figure.lines == () for figure in PHENOMENON.figures(empty) if hasattr(figure, "lines"))


def test_every_mode_has_a_headline() -> None:
    for preset in ("network", "epoch-wise", "sample-wise-network", "ensemble"):
        spec = _spec(preset)
        claims = PHENOMENON.claims(PHENOMENON.config_of(spec), spec)
        assert {c.name for claim in claims for c in claim.criteria} & set(PHENOMENON.headline), preset


def test_published_protocols_and_what_is_said_of_them() -> None:
    for name in ("lillog", "lillog-reuse", "belkin"):
        config, note = PHENOMENON.make_config(name), PHENOMENON.preset(name).note
        assert (config.n, config.loss, config.optimiser, config.noise) == (4000, "squared", "sgd", 0.0)
        assert "Unverified" in note
        assert {arm.name.split("-")[0] for arm in PHENOMENON.arms_of(_spec(name))} == {"clean", "decay"}
        assert PHENOMENON.arms_of(_spec(name, data="fashion-mnist"))
    assert len(set(PHENOMENON.make_config("lillog").hidden)) == 27
    assert PHENOMENON.make_config("lillog").epochs == 500
    assert PHENOMENON.make_config("belkin").epochs == 6000
    for name, network in (("nakkiran", "resnet-18"), ("nakkiran-cnn", "cnn-5")):
        config = PHENOMENON.make_config(name)
        assert (config.network, config.noise, config.lr, config.epochs) == (network, 0.15, 1e-4, 4000)
        assert (min(config.hidden), max(config.hidden)) == (1, 64)
        assert PHENOMENON.arms_of(_spec(name))[0].factors["width"] == 1
    assert {name for name, preset in PHENOMENON.presets.items() if preset.gpu} == {"belkin", "nakkiran", "nakkiran-cnn"}


def test_equations_are_counted_for_squared_loss_of_perceptrons_alone() -> None:
    def marks(preset: str, **values: Any) -> list[str]:
        return [r.label for r in PHENOMENON.figures(_run_data(_spec(preset, **values), {}))[0].references]  # type: ignore[union-attr]

    assert any("H = 50" in label for label in marks("lillog")), "(784 + 1) H + (H + 1) 10 = 40,000"
    for preset, values in (("network", {}), ("nakkiran", {"loss": "squared"}), ("ensemble", {"loss": "squared"})):
        assert not any("parameters" in label for label in marks(preset, **values))


def test_no_mode_needs_torch_or_numpy_to_be_declared() -> None:
    script = (
        "import sys; from genlab_tui.phenomena import get\n"
        "from genlab_tui.run import RunSpec\n"
        "from genlab_tui.rundata import RunData\n"
        "from genlab_tui.phenomenon import config_values\n"
        "p = get('double-descent')\n"
        "for name, preset in p.presets.items():\n"
        "    c = p.make_config(name); s = RunSpec('00000001', p.name, config_values(c), data=preset.data)\n"
        "    p.estimate(c, s); p.claims(c, s); p.figures(RunData(s, p.arms_of(s), s.seed_list))\n"
        "print([m for m in ('torch', 'numpy', 'scipy', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- random features over the number of samples -----------------------------------------------------------------------

HURTS = {
    "peak_offset": 0.0,
    "peak_ratio": 120.0,
    "fall": 0.003,
    "norm_offset": 0.0,
    "train_mse_below": 1e-26,
    "span": 3.0,
    "threshold_ratio": 120.0,
}


def _solved(spec: RunSpec, **changes: dict[str, float]) -> Verdict:
    measures: dict[str, dict[tuple[str, int], float]] = {}
    for arm in PHENOMENON.arms_of(spec):
        own = {**HURTS, **({"threshold_ratio": 0.98} if arm.control else {}), **changes.get(arm.name, {})}
        for name, value in own.items():
            measures.setdefault(name, {}).update({(arm.name, seed): value for seed in spec.seed_list})
    return judge(PHENOMENON, spec, _run_data(spec, measures))


def test_the_grid_of_samples_has_the_number_of_features_and_its_neighbours() -> None:
    config = PHENOMENON.make_config("sample-wise")
    assert {279, 300, 321} <= set(grid(config))
    assert max(grid(config)) + config.validation == 1200


def test_more_data_hurts_random_features() -> None:
    spec = _spec("sample-wise")
    assert _statuses(_solved(spec)) == [Status.SHOWN, Status.SHOWN]
    assert _statuses(_solved(spec, clean={"peak_offset": 0.2})) == [Status.NOT_SHOWN, Status.SHOWN]
    assert _statuses(_solved(spec, noise={"train_mse_below": 1e-3})) == [Status.SHOWN, Status.NOT_SHOWN]
    assert _statuses(_solved(spec, ridge={"threshold_ratio": 1.2})) == [Status.INCONCLUSIVE, Status.SHOWN]
    assert _statuses(_solved(spec, clean={"span": 1.5})) == [Status.INCONCLUSIVE, Status.SHOWN]


# --- legs -------------------------------------------------------------------------------------------------------------


def test_legs_are_read_where_the_other_seeds_have_them() -> None:
    rows = {0: (0.9, 0.1, 0.3, 0.2), 1: (0.9, 0.1, 0.3, 0.2), 2: (0.9, 0.3, 0.1, 0.2)}
    found = legs(Profile((1, 2, 3, 4), rows))
    assert found[2].rise == pytest.approx(-0.2), "its own rise is elsewhere: that one does not count"
    assert (found[2].low, found[2].peak) == (1, 2)
    assert legs(Profile((1, 2), {0: (0.1, 0.2)})) == {}


def test_noise_alone_has_no_three_legs() -> None:
    """Picking the places on the mean itself finds a rise of two standard errors almost every time."""
    source = random.Random(1)
    fired = naive = 0
    for _ in range(200):
        rows = {s: tuple(source.gauss(0, 1) for _ in range(30)) for s in range(5)}
        found = Profile(tuple(range(30)), rows)
        each = legs(found).items()
        weakest = min(
            sum(in_standard_errors({s: getattr(own, name) for s, own in each}).values()) / 5
            for name in ("fall", "rise", "second_fall")
        )
        _, low, peak = largest_rise(found.mean)
        fired += weakest > 2
        naive += sum(in_standard_errors({s: row[peak] - row[low] for s, row in rows.items()}).values()) / 5 > 2
    assert fired <= 10
    assert naive >= 150


def test_standard_errors() -> None:
    assert sum(in_standard_errors({0: 1.0, 1: 2.0, 2: 3.0}).values()) / 3 == pytest.approx(2 / (1 / 3**0.5))
    assert in_standard_errors({0: 0.0, 1: 0.0}) == {0: 0.0, 1: 0.0}
    assert in_standard_errors({0: 0.1}) == {}


# --- over epochs ------------------------------------------------------------------------------------------------------

AT = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)
DIPS = (0.30, 0.15, 0.10, 0.12, 0.16, 0.20, 0.17, 0.14, 0.12)
STAYS = (0.30, 0.15, 0.10, 0.12, 0.16, 0.20, 0.201, 0.202, 0.203)
FALLS = (0.20, 0.10, 0.08, 0.06, 0.05, 0.045, 0.04, 0.035, 0.03)


def _curves(rows: dict[str, Row], spec: RunSpec) -> dict[str, dict[tuple[str, int], Curve]]:
    at = np.array((0.5, *AT))
    found = {}
    for arm, row in rows.items():
        for seed in spec.seed_list:
            values = np.array([0.1, *(1 - v - _noise(seed, k) for k, v in enumerate(row))])
            found[arm, seed] = Curve(at * 20, at, at, values)
    return {"test_accuracy": found, "train_accuracy": found}


def _over_epochs(noise: Row, clean: Row = FALLS, fit: float = 0.0, seeds: int = 5) -> Verdict:
    spec = _spec("epoch-wise", seeds=seeds)
    members = [(arm, seed) for arm in ("noise", "clean") for seed in spec.seed_list]
    measures = {"train_accuracy": dict.fromkeys(members, 1 - fit), "test_error": dict.fromkeys(members, 0.1)}
    return judge(PHENOMENON, spec, _run_data(spec, measures, curves=_curves({"noise": noise, "clean": clean}, spec)))


def test_down_up_and_down_again_over_epochs() -> None:
    assert _over_epochs(DIPS).status is Status.SHOWN
    assert _statuses(_over_epochs(DIPS))[1] is Status.NOT_SHOWN, "it ends above its first minimum, and that is said"
    assert _over_epochs(STAYS).status is Status.NOT_SHOWN
    assert _over_epochs(FALLS).status is Status.NOT_SHOWN


def test_over_epochs_noise_must_be_learnt_seeds_enough_and_the_control_quiet() -> None:
    assert _over_epochs(DIPS, fit=0.02).status is Status.INCONCLUSIVE
    assert _over_epochs(DIPS, seeds=4).status is Status.INCONCLUSIVE
    fired = _over_epochs(DIPS, clean=DIPS)
    assert fired.status is Status.INCONCLUSIVE
    assert "clean labels" in fired.claims[0].reason


def test_curves_begin_with_the_first_whole_epoch_and_lack_who_diverged() -> None:
    spec = _spec("epoch-wise")
    run_data = _run_data(spec, {}, curves=_curves({"noise": DIPS, "clean": FALLS}, spec))
    found = curve_profile(run_data, "test_accuracy", "noise", 1.0)
    assert found.x == AT
    assert set(found.per_seed) == set(range(5))
    run_data.curves["test_accuracy"]["noise", 3].value[4] = np.nan
    assert set(curve_profile(run_data, "test_accuracy", "noise", 1.0).per_seed) == {0, 1, 2, 4}
    error, fit = PHENOMENON.figures(run_data)
    assert [len(f.lines) for f in (error, fit) if hasattr(f, "lines")] == [2, 2]


# --- networks over the number of samples ------------------------------------------------------------------------------

SAMPLES = (60, 90, 125, 180, 250, 360, 500, 720, 1000)
FITTED = (0, 0, 0, 0, 0.005, 0.05, 0.1, 0.14, 0.17)
MORE_HURTS = (0.36, 0.31, 0.28, 0.30, 0.33, 0.27, 0.23, 0.17, 0.12)
PLATEAU = (0.36, 0.31, 0.2905, 0.29, 0.2895, 0.27, 0.23, 0.17, 0.12)
HELPS = (0.20, 0.15, 0.12, 0.10, 0.09, 0.07, 0.06, 0.05, 0.04)


def _over_samples(noise: Row, clean: Row = HELPS, fit: Row = FITTED) -> tuple[Verdict, RunData]:
    spec = _spec("sample-wise-network")
    errors, accuracy = {}, {}
    for kind, row in (("noise", noise), ("clean", clean)):
        for k, (n, value, unfit) in enumerate(zip(SAMPLES, row, fit, strict=True)):
            for seed in spec.seed_list:
                errors[f"{kind}-{n}", seed] = value + _noise(seed, k)
                accuracy[f"{kind}-{n}", seed] = 1 - unfit
    run_data = _run_data(spec, {"test_error": errors, "train_accuracy": accuracy})
    return judge(PHENOMENON, spec, run_data), run_data


def test_more_data_hurts_a_network_that_just_fits() -> None:
    verdict, run_data = _over_samples(MORE_HURTS)
    assert _statuses(verdict) == [Status.SHOWN, Status.SHOWN]
    assert any(r.value == 250 for f in PHENOMENON.figures(run_data) if hasattr(f, "references") for r in f.references)
    assert _over_samples(PLATEAU)[0].status is Status.NOT_SHOWN
    assert _over_samples(HELPS)[0].status is Status.NOT_SHOWN


def test_samples_must_span_what_is_fitted_and_clean_labels_stay_quiet() -> None:
    assert _over_samples(MORE_HURTS, clean=MORE_HURTS)[0].status is Status.INCONCLUSIVE
    assert _over_samples(MORE_HURTS, fit=(0.0,) * 9)[0].status is Status.INCONCLUSIVE
    assert _over_samples(MORE_HURTS, fit=(0.1,) * 9)[0].status is Status.INCONCLUSIVE


# --- ensembles --------------------------------------------------------------------------------------------------------

WIDTHS = (5, 8, 11, 14, 18, 22, 28, 36, 60, 120)
UNFIT = (0.23, 0.18, 0.16, 0.13, 0.10, 0.05, 0.009, 0, 0, 0)
SINGLE = (0.16, 0.13, 0.15, 0.17, 0.20, 0.22, 0.23, 0.22, 0.19, 0.15)
AVERAGE = (0.10, 0.08, 0.08, 0.09, 0.10, 0.11, 0.12, 0.12, 0.11, 0.10)


def _ensemble(single: Row = SINGLE, average: Row = AVERAGE, copies: Row | None = None, seeds: int = 5) -> Verdict:
    spec = _spec("ensemble", seeds=seeds)
    errors, accuracy = {}, {}
    for kind, row in (("single", single), ("average", average), ("copies", copies or single)):
        for k, (h, value, unfit) in enumerate(zip(WIDTHS, row, UNFIT, strict=True)):
            for seed in spec.seed_list:
                errors[f"{kind}-{h}", seed] = value + _noise(seed, k + len(kind))
                accuracy[f"{kind}-{h}", seed] = 1 - unfit
    run_data = _run_data(spec, {"test_error": errors, "train_accuracy": accuracy})
    assert [len(f.lines) for f in PHENOMENON.figures(run_data) if hasattr(f, "lines")] == [3, 1]
    return judge(PHENOMENON, spec, run_data)


def test_averaging_shrinks_the_peak() -> None:
    assert _statuses(_ensemble()) == [Status.SHOWN, Status.SHOWN]
    lower = tuple(value - 0.05 for value in SINGLE)
    assert _ensemble(average=lower).status is Status.NOT_SHOWN, "lower everywhere is no smaller peak"
    assert _ensemble(average=SINGLE).status is Status.NOT_SHOWN


def test_an_ensemble_is_unclear_without_a_peak_seeds_or_a_quiet_control() -> None:
    assert _ensemble(single=tuple(0.2 - 0.01 * k for k in range(10))).status is Status.INCONCLUSIVE
    assert _ensemble(seeds=4).status is Status.INCONCLUSIVE
    fired = _ensemble(copies=AVERAGE)
    assert fired.status is Status.INCONCLUSIVE
    assert "copies" in fired.claims[0].reason


def test_an_ensemble_counts_the_networks_it_trains() -> None:
    spec = _spec("ensemble", seeds=2, average=5)
    assert PHENOMENON.estimate(PHENOMENON.config_of(spec), spec).members == 2 * len(WIDTHS) * (5 + 2)


def test_members_of_an_ensemble_differ_in_their_initial_weights_alone() -> None:
    first = Member("single-8", 7, inputs=1, labels=2)
    members = ensemble.several(first, 4)
    assert len({member.init_seed for member in members}) == 4
    assert members[0].init_seed == 7, "the first is the network that the width alone would have"
    assert {(m.arm, m.seed, m.inputs, m.labels, m.order_seed) for m in members} == {("single-8", 7, 1, 2, 7)}
    assert {member.init_seed for member in ensemble.several(first, 3, copies=True)} == {7}


# --- weight reuse -----------------------------------------------------------------------------------------------------


def _two_layer(hidden: int) -> list[torch.Tensor]:
    source = torch.Generator().manual_seed(3)
    return [torch.randn(s, generator=source) for s in ((hidden, 6), (4, hidden), (hidden,), (4,))]


def test_a_network_grows_around_the_trained_one() -> None:
    trained = _two_layer(3)
    grown = reuse.grow(trained, 5, seed=1)
    assert [tuple(t.shape) for t in grown] == [(5, 6), (4, 5), (5,), (4,)]
    assert torch.equal(grown[0][:3], trained[0])
    assert torch.equal(grown[1][:, :3], trained[1])
    assert torch.equal(grown[2][:3], trained[2])
    assert torch.equal(grown[3], trained[3])
    with pytest.raises(ValueError, match="does not grow"):
        reuse.grow(trained, 3, seed=1)


def test_new_weights_have_the_variance_of_the_paper_and_depend_on_the_seed() -> None:
    trained = _two_layer(1)
    new = reuse.grow(trained, 2001, seed=1)
    drawn = torch.cat([new[0][1:].flatten(), new[1][:, 1:].flatten(), new[2][1:]])
    assert float(drawn.var()) == pytest.approx(0.01, rel=0.05)
    assert abs(float(drawn.mean())) < 0.002
    assert torch.equal(reuse.grow(trained, 2001, seed=1)[0], new[0])
    assert not torch.equal(reuse.grow(trained, 2001, seed=2)[0], new[0])


def test_weights_reused_and_drawn_anew_are_never_in_one_run() -> None:
    drawn, reused = (_run_data(_spec(name), {}) for name in ("lillog", "lillog-reuse"))
    labels: Callable[[RunData], str] = lambda d: PHENOMENON.figures(d)[0].x_label  # noqa: E731
    assert labels(reused) == "hidden units H, weights reused"
    assert labels(drawn) == "hidden units H"
