"""Learning on cells: the ideal learner where cells are ideal; the same bits after a restart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import DTypeLike

from ohmlearn.circuits.fabric import array_shapes, make_fabric, renew_all
from ohmlearn.circuits.hopfield import DYNAMICS, HopfieldNetwork
from ohmlearn.circuits.wiring import CHECK_EVERY
from ohmlearn.crossbar.array import ENCODINGS, Crossbar
from ohmlearn.devices import Effects, get_device, get_preset, merge
from ohmlearn.training import datasets
from ohmlearn.training.ideal import IdealLearner, Schedule
from ohmlearn.training.policies import POLICIES, make_policy
from ohmlearn.training.pulsed import PulsedLearner
from ohmlearn.training.rules import RULES, get_rule

SOFT = get_device("SoftBounds")
SIZES = {1: (9, 6), 2: (9, 7, 6), 3: (9, 7, 5, 6)}
SCHEDULE = Schedule(free_steps=20, nudged_steps=6, beta=0.2, eta=np.array([0.3, 0.2, 0.1]))
REAL = {
    "device_to_device": {"step": 0.2, "g_max": 0.1, "g_min": 0.1},
    "cycle_to_cycle": 0.3,
    "read_noise": 0.01,
    "stuck": 0.02,
    "write_noise": 0.3,
}


def build(
    sizes,
    rule="cep",
    policy="stochastic",
    effects: dict[str, Any] | None = None,
    *,
    schedule=SCHEDULE,
    encoding="pair",
    weight_range=1.0,
    dtype: DTypeLike = np.float64,
    device=SOFT,
    params=None,
    physics: dict[str, Any] | None = None,
):
    """Return a learner on cells at the network's initial weights, and those weights."""
    symmetric = rule not in ("vf", "cvf")
    network = HopfieldNetwork.build(sizes, symmetric=symmetric, **(physics or {}))
    layout = network.layout
    theta = network.initial_parameters(np.random.default_rng(1), angle=30.0, dtype=dtype)
    weights = [
        np.vstack([layout.weight(theta, k), layout.bias(theta, k)])
        for k in range(1, layout.depth + 1)
    ]
    if not symmetric:
        weights += [layout.backward(theta, k) for k in range(2, layout.depth + 1)]
    chosen, crossbars = merge(Effects(), effects or {}), []
    for number, shape in enumerate(array_shapes(layout)):
        options = {"weight_range": weight_range, "array_id": number, "encoding": encoding}
        crossbars.append(
            Crossbar.build(
                *shape, device, params or device.params(), chosen, **options, dtype=dtype, seed=2
            )
        )
        crossbars[-1].set_weights(weights[number])
        crossbars[-1].meter()
    fabric = make_fabric(layout, crossbars)
    kept = make_policy(policy, fabric.bank.x.size // fabric.arms, np.dtype(dtype), 0.3)
    rules = get_rule(rule, symmetric)
    return PulsedLearner(network, crossbars, fabric, rules, schedule, kept, 2), theta


def samples(sizes, batches, batch, dtype=np.float64):
    rng = np.random.default_rng(3)
    x = rng.random((batches, batch, sizes[0])) * (rng.random((batches, batch, sizes[0])) < 0.6)
    y = np.eye(sizes[-1])[rng.integers(0, sizes[-1], (batches, batch))]
    return x.astype(dtype), y.astype(dtype)


def train(learner, x, y, first=0):
    """Train on all batches, the sign of beta changing, and return the free outputs."""
    batch = x.shape[1]
    return np.array(
        [
            learner.train_batch(
                x[k], y[k], 1.0 if (first + k) % 2 else -1.0, (first + k) * batch, 0.9
            )
            for k in range(len(x))
        ]
    )


@pytest.mark.parametrize("encoding", ["pair", "single"])
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("dynamics", list(DYNAMICS))
@pytest.mark.parametrize("rule", list(RULES))
def test_ideal_cells_with_the_ideal_policy_are_the_ideal_learner(
    rule, dynamics, depth, batch, encoding
):
    physics = {"dynamics": dynamics, "time_step": 0.3}
    sizes = SIZES[depth]
    options = {"weight_range": 20.0, "encoding": encoding, "physics": physics}
    learner, theta = build(sizes, rule, "ideal", **options)
    np.testing.assert_allclose(learner.theta, theta, atol=1e-13)
    reference = IdealLearner(learner.network, theta.copy(), learner.rule, SCHEDULE)
    x, y = samples(sizes, 4, batch)
    np.testing.assert_allclose(train(learner, x, y), train(reference, x, y), atol=1e-9)
    np.testing.assert_allclose(learner.theta, reference.theta, atol=1e-9)
    assert np.abs(reference.theta - theta).max() > 1e-3
    assert learner.pulses == 0


@pytest.mark.parametrize("rule", ["cep", "cvf"])
def test_biases_that_stay_and_slopes_are_those_of_the_ideal_learner(rule):
    schedule = SCHEDULE._replace(input_bias=False)
    learner, theta = build(SIZES[2], rule, "ideal", schedule=schedule, weight_range=20.0)
    learner.rule = learner.rule._replace(slope=rule == "cvf")
    reference = IdealLearner(learner.network, theta.copy(), learner.rule, schedule)
    x, y = samples(SIZES[2], 4, 3)
    np.testing.assert_allclose(train(learner, x, y), train(reference, x, y), atol=1e-9)
    np.testing.assert_allclose(learner.theta, reference.theta, atol=1e-9)


@pytest.mark.parametrize("rule", ["cep", "vf", "cvf"])
@pytest.mark.parametrize(
    ("activation", "clamp", "output_slope"),
    [("hard-sigmoid", True, True), ("sigmoid", True, False), ("tanh", False, False)],
)
def test_the_variants_of_the_dynamics_are_those_of_the_ideal_learner(
    rule, activation, clamp, output_slope
):
    physics = {"dynamics": "energy-based", "time_step": 0.3, "activation": activation}
    physics |= {"clamp": clamp, "output_slope": output_slope}
    learner, theta = build(SIZES[2], rule, "ideal", weight_range=20.0, physics=physics)
    reference = IdealLearner(learner.network, theta.copy(), learner.rule, SCHEDULE)
    x, y = samples(SIZES[2], 4, 3)
    np.testing.assert_allclose(train(learner, x, y), train(reference, x, y), atol=1e-9)
    np.testing.assert_allclose(learner.theta, reference.theta, atol=1e-9)


@pytest.mark.parametrize("rule", ["cep", "ep", "cvf"])
def test_fine_pulses_follow_the_ideal_learner(rule):
    """Stochastic pulses of a millionth of the window: right on average, so nearly right."""
    fine = get_device("ConstantStep")
    params = fine.params()._replace(dg_up=1e-10, dg_down=1e-10)
    schedule = SCHEDULE._replace(eta=np.array([0.02, 0.02]))
    options = {"device": fine, "params": params, "weight_range": 4.0, "schedule": schedule}
    learner, theta = build(SIZES[2], rule, **options)
    reference = IdealLearner(learner.network, theta.copy(), learner.rule, schedule)
    x, y = samples(SIZES[2], 40, 1)
    train(learner, x, y)
    train(reference, x, y)
    moved, expected = learner.theta - theta, reference.theta - theta
    assert np.linalg.norm(moved - expected) < 0.02 * np.linalg.norm(expected)
    assert learner.pulses > 1000


@pytest.mark.parametrize("rule", list(RULES))
@pytest.mark.parametrize("policy", list(POLICIES))
def test_weights_carried_through_training_are_those_of_the_cells(policy, rule):
    learner, theta = build(SIZES[3], rule, policy, REAL)
    x, y = samples(SIZES[3], 10, 1)
    train(learner, x, y)
    fabric = make_fabric(learner.network.layout, learner.crossbars)
    again, again_q = np.zeros((2, theta.size))
    renew_all(fabric, again, again_q)
    np.testing.assert_array_equal(learner.theta, again)
    assert np.any(learner.theta != theta)
    assert np.all(np.isfinite(learner.theta))


@pytest.mark.parametrize("encoding", list(ENCODINGS))
@pytest.mark.parametrize("rule", ["cep", "centred-ep", "cvf"])
@pytest.mark.parametrize("batch", [1, 3])
def test_a_restored_learner_goes_on_to_the_same_bits(batch, rule, encoding):
    policy = "stochastic" if rule != "centred-ep" else "deterministic-residue"
    x, y = samples(SIZES[2], 12, batch)
    whole, _ = build(SIZES[2], rule, policy, REAL, encoding=encoding)
    out = train(whole, x, y)
    first, _ = build(SIZES[2], rule, policy, REAL, encoding=encoding)
    np.testing.assert_array_equal(train(first, x[:5], y[:5]), out[:5])
    saved = {name: array.copy() for name, array in first.state().items()}
    train(first, x[:3], y[:3])  # astray
    fresh, _ = build(SIZES[2], rule, policy, REAL, encoding=encoding)
    for learner in (first, fresh):
        learner.restore(saved)
        np.testing.assert_array_equal(train(learner, x[5:], y[5:], first=5), out[5:])
        np.testing.assert_array_equal(learner.theta, whole.theta)
        assert learner.pulses == whole.pulses > 0
        for name, array in whole.state().items():
            np.testing.assert_array_equal(learner.state()[name], array)


def test_read_noise_of_an_evaluation_does_not_depend_on_how_it_is_split():
    learner, _ = build((9, 30, 26, 6), effects=REAL)
    x = samples((9, 30, 26, 6), 1, 90)[0][0]
    whole = learner.outputs(x, 0, 7)
    parts = np.concatenate([learner.outputs(x[:50], 0, 7), learner.outputs(x[50:], 50, 7)])
    np.testing.assert_allclose(parts, whole, rtol=1e-12)
    np.testing.assert_array_equal(learner.outputs(x, 0, 7), whole)
    for other in (learner.outputs(x, 1, 7), learner.outputs(x, 0, 8)):
        assert np.abs(other - whole).max() > 1e-5


def test_evaluation_changes_nothing():
    learner, _ = build(SIZES[2], effects=REAL)
    before = {name: array.copy() for name, array in learner.state().items()}
    learner.outputs(samples(SIZES[2], 1, 9)[0][0])
    for name, array in learner.state().items():
        np.testing.assert_array_equal(array, before[name])


def test_an_evaluation_without_read_noise_is_the_ideal_one():
    learner, _ = build((9, 30, 6), effects={**REAL, "read_noise": 0})
    reference = IdealLearner(learner.network, learner.theta, learner.rule, SCHEDULE)
    x = samples((9, 30, 6), 1, 40)[0][0]
    np.testing.assert_allclose(learner.outputs(x), reference.outputs(x), atol=1e-13)


def test_a_sample_does_not_hear_of_the_others_of_its_batch_before_it_learns():
    learner, _ = build(SIZES[2], effects={**REAL, "read_noise": 0})
    x, y = samples(SIZES[2], 1, 4)
    expected = learner.outputs(x[0])
    np.testing.assert_allclose(learner.train_batch(x[0], y[0], 1.0, 0), expected, atol=1e-13)


def test_unlit_rows_of_the_first_array_get_no_pulse():
    learner, _ = build(SIZES[2], effects={"cycle_to_cycle": 0.3})
    before = learner.crossbars[0].conductance.copy()
    x, y = samples(SIZES[2], 20, 1)
    x[:, :, [0, 4]] = 0.0
    train(learner, x, y)
    moved = np.any(learner.crossbars[0].conductance != before, axis=(1, 2))
    assert moved.tolist() == [k not in (0, 4) for k in range(10)]


def test_every_pulse_is_counted():
    """Equal steps up and down, no noise, no bounds: cells cannot move more than pulses allow."""
    device = get_device("ConstantStep")
    learner, _ = build(SIZES[2], device=device, effects={"window": False})
    start = learner.state()["x"].copy()
    x, y = samples(SIZES[2], 1, 1)
    learner.train_batch(x[0], y[0], 1.0, 0)
    steps = (learner.state()["x"] - start) * 400
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-9)
    fewest = int(np.abs(np.round(steps)).sum())
    assert fewest <= learner.pulses
    assert (learner.pulses - fewest) % 2 == 0
    assert learner.pulses > 0


@pytest.mark.parametrize("encoding", ["pair", "single"])
def test_the_account_of_writing_is_that_of_the_pulses(encoding):
    """At one state for all cells each pulse costs the same, so counts give the energy."""
    device = get_device("ConstantStep")
    params = device.params()._replace(dg_up=1e-15, dg_down=1e-15)
    learner, _ = build(
        SIZES[2], "cep", "sign-threshold", device=device, params=params, encoding=encoding,
        effects={"window": False},
    )  # fmt: skip
    for xbar in learner.crossbars:
        xbar.bank.x[:] = 0.5
    x, y = samples(SIZES[2], 4, 1)
    train(learner, x, y)
    written = learner.writes()
    assert sum(w["set_pulses"] + w["reset_pulses"] for w in written) == learner.pulses > 0
    middle = 0.5 * (params.g_min + params.g_max)
    for each, xbar in zip(written, learner.crossbars, strict=True):
        once = params.v_set**2 * middle * params.t_set
        assert each["set_energy"] == pytest.approx(each["set_pulses"] * once, rel=1e-6)
        assert each["transistor_energy"] == 0.0
        # Rows take turns; no row takes more slots than pulses, nor fewer than its cells need.
        assert each["set_pulses"] / (xbar.columns * xbar.arms) <= each["set_slots"]
        assert each["set_slots"] <= each["set_pulses"]
    pulses = [learner.figures()[f"writes_{k}"] for k in (1, 2)]
    assert sum(int(p.sum()) for p in pulses) == learner.pulses
    assert learner.write_energy == pytest.approx(
        sum(w["set_energy"] + w["reset_energy"] for w in written), rel=1e-12
    )


def test_activity_is_the_mean_square_of_what_lines_carry():
    learner, _ = build(SIZES[2])
    x, _ = samples(SIZES[2], 1, 5)
    layers = learner.activity(x[0])
    assert [len(layer) for layer in layers] == list(SIZES[2])
    np.testing.assert_allclose(layers[0], np.mean(x[0] ** 2, axis=0))
    out = learner.outputs(x[0])
    np.testing.assert_allclose(layers[-1], np.mean(out**2, axis=0))


def test_figures_are_copies_of_the_arrays():
    learner, _ = build(SIZES[2], "cvf", effects=REAL)
    kept = learner.figures()
    assert kept["g_plus_1"].shape == kept["g_minus_1"].shape == (10, 7)
    assert kept["g_plus_3"].shape == (7, 6)
    kept["g_plus_1"][:] = 0.0
    assert learner.crossbars[0].conductance.min() > 0
    single, _ = build(SIZES[2], effects=REAL, encoding="offset")
    assert single.figures()["g_reference_1"].shape == (10,)


@pytest.mark.parametrize("rule", ["cep", "cvf"])
def test_three_layers_of_noisy_cells_train_on_digits(rule):
    device, preset = get_preset("HfO2-1T1R-demo")
    data = datasets.load("digits")
    schedule = Schedule(30, 8, 0.3, np.array([0.02, 0.01, 0.01]))
    options = {"device": device, "params": preset.params, "schedule": schedule}
    learner, _ = build((64, 40, 30, 10), rule, effects=REAL, dtype=np.float32, **options)
    eye = np.eye(10, dtype=np.float32)
    before = np.mean((learner.outputs(data.x_test) - eye[data.y_test]) ** 2)
    for step in range(400):
        learner.train_batch(
            data.x_train[step : step + 1], eye[data.y_train[step : step + 1]], 1.0, step
        )
    after = np.mean((learner.outputs(data.x_test) - eye[data.y_test]) ** 2)
    assert learner.theta.dtype == np.float32
    assert np.all(np.isfinite(learner.theta))
    assert after < before
    back = learner.network.layout.backward(learner.theta, 2)
    assert (np.abs(back - learner.network.layout.weight(learner.theta, 2)).max() > 0.01) == (
        rule == "cvf"
    )


TRAPS = {"fraction": 0.3, "amplitude": 0.1, "capture": 1.0, "emission": 2.0}
AGEING = {"retention": "ReRamCMO", "random_telegraph": TRAPS}


@pytest.mark.parametrize("encoding", ["pair", "offset"])
def test_a_rest_changes_what_is_shown_and_nothing_else(encoding):
    learner, _ = build(SIZES[2], "cep", effects=AGEING, encoding=encoding)
    x, y = samples(SIZES[2], 3, 1)
    train(learner, x, y)
    before = {name: np.copy(value) for name, value in learner.state().items()}
    theta = learner.theta.copy()
    with learner.rested(86400.0):
        one_day = learner.theta.copy()
        np.testing.assert_array_equal(learner.state()["x"], before["x"])
    with learner.rested(86400.0):
        np.testing.assert_array_equal(learner.theta, one_day)
    with learner.rested(1.0):
        one_second = learner.theta.copy()
    assert np.abs(one_day - theta).max() > np.abs(one_second - theta).max() > 0
    np.testing.assert_array_equal(learner.theta, theta)
    for name, value in learner.state().items():
        np.testing.assert_array_equal(value, before[name], err_msg=name)
    references = [xbar.reference.copy() for xbar in learner.crossbars]
    with learner.rested(86400.0):
        moved = [
            not np.array_equal(xbar.reference, r)
            for xbar, r in zip(learner.crossbars, references, strict=True)
        ]
    assert all(moved) == (encoding == "offset")


def test_a_rest_without_effects_of_time_shows_the_same():
    learner, theta = build(SIZES[2], "cep")
    with learner.rested(1e6):
        np.testing.assert_allclose(learner.theta, theta, atol=1e-12)


def test_the_past_of_the_cells_is_part_of_the_state():
    effects = AGEING | {"endurance": 1e4}
    learner, _ = build(SIZES[2], "cep", effects=effects)
    x, y = samples(SIZES[2], 6, 1)
    train(learner, x[:3], y[:3])
    kept = {name: np.copy(value) for name, value in learner.state().items()}
    train(learner, x[3:], y[3:], 3)
    other, _ = build(SIZES[2], "cep", effects=effects)
    other.restore(kept)
    train(other, x[3:], y[3:], 3)
    for name, value in learner.state().items():
        np.testing.assert_array_equal(value, other.state()[name], err_msg=name)
    assert learner.state()["cycles"].sum() > 0


def test_reads_disturb_the_cells_that_learn():
    """Without learning, so that nothing else moves a state."""
    effects = {"read_disturb": {"change": 1e-7, "towards": "set"}}
    schedule = SCHEDULE._replace(eta=np.zeros(3))
    learner, _ = build(SIZES[2], "cep", effects=effects, schedule=schedule)
    x, y = samples(SIZES[2], 2, 1)
    before, theta = learner.state()["x"].copy(), learner.theta.copy()
    learner.train_batch(x[0], y[0], 1.0, 0)
    np.testing.assert_array_equal(learner.state()["x"], before)
    learner.train_batch(x[1], y[1], 1.0, CHECK_EVERY - 1)
    reads = CHECK_EVERY * (SCHEDULE.free_steps + SCHEDULE.nudged_steps)
    expected = 1.0 - (1.0 - before) * (1.0 - 1e-7) ** reads
    np.testing.assert_allclose(learner.state()["x"], expected, rtol=1e-12)
    assert np.abs(learner.theta - theta).max() > 0
    assert learner.pulses == 0
