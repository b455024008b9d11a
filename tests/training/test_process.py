"""Theorem 1: the process of the nudged phase against backpropagation through time."""

from __future__ import annotations

import numpy as np
import pytest

from ohmlearn.circuits.hopfield import HopfieldNetwork
from ohmlearn.errors import ConfigError
from ohmlearn.training.bptt import backpropagate, free_trajectory
from ohmlearn.training.datasets import load
from ohmlearn.training.ideal import IdealLearner, Schedule
from ohmlearn.training.process import (
    angle_degrees,
    compare,
    nudged_process,
    relative_error,
    unit_curves,
)
from ohmlearn.training.rules import get_rule


class Check:
    """One network, sample and free phase; distances for any beta and eta."""

    def __init__(self, dynamics, sizes=(30, 40, 5), batch=1, seed=0, **options):
        self.energy_based = dynamics == "energy-based"
        dt = 0.08 if self.energy_based else 1.0
        steps = (3000, 80) if self.energy_based else (400, 20)
        angle, dtype = options.pop("angle", 0.0), options.pop("dtype", np.float64)
        self.network = HopfieldNetwork.build(sizes, dynamics, "tanh", time_step=dt, **options)
        rng = np.random.default_rng(seed)
        self.theta = self.network.initial_parameters(rng, angle=angle, dtype=dtype)
        self.x = rng.random((batch, sizes[0])).astype(dtype)
        self.y = np.eye(sizes[-1], dtype=dtype)[rng.integers(0, sizes[-1], batch)]
        self.path = free_trajectory(self.network, self.theta, self.x, *steps)
        self.nabla = backpropagate(self.network, self.theta, self.x, self.y, self.path)

    def process(self, beta, eta=0.0):
        return nudged_process(self.network, self.theta, self.x, self.y, self.path, beta, eta)

    def distance(self, beta, eta=0.0):
        process = self.process(beta, eta)
        return compare(self.network.layout, process, self.nabla, len(self.x))

    def errors(self, beta, eta=0.0):
        return np.array([mean for mean, _ in self.distance(beta, eta).error.values()])


@pytest.fixture(scope="module")
def exact():
    return Check("energy-based")


@pytest.fixture(scope="module")
def prototypical():
    return Check("prototypical")


def test_error_is_proportional_to_beta_where_the_weights_stand_still(exact):
    errors = [exact.errors(beta) for beta in (1e-2, 1e-3, 1e-4)]
    np.testing.assert_allclose(errors[0] / errors[1], 10, rtol=0.2)
    np.testing.assert_allclose(errors[1] / errors[2], 10, rtol=0.2)
    assert errors[2].max() < 1e-3


@pytest.mark.parametrize(("sizes", "batch"), [((12, 9, 8, 4), 1), ((12, 10, 4), 3), ((12, 4), 2)])
def test_theorem_holds_at_every_depth_and_batch(sizes, batch):
    check = Check("energy-based", sizes, batch)
    errors = [check.errors(beta) for beta in (1e-3, 1e-4)]
    np.testing.assert_allclose(errors[0] / errors[1], 10, rtol=0.2)
    distance = check.distance(1e-4)
    assert errors[1].max() < 1e-3
    assert distance.angle < 0.02
    assert distance.sign_agreement > 0.995


def test_error_is_proportional_to_eta_over_beta(exact):
    ratio = exact.errors(1e-3, 1e-5) / exact.errors(1e-3, 1e-6)
    assert ((ratio > 7) & (ratio < 15)).all()


@pytest.mark.parametrize("ratio", [1e-2, 1e-1])
def test_error_depends_on_eta_over_beta_alone(exact, ratio):
    few, many = (exact.errors(beta, ratio * beta) for beta in (1e-3, 1e-2))
    np.testing.assert_allclose(few, many, rtol=0.3)
    assert few.min() > 10 * exact.errors(1e-3).max()


def test_negative_beta_mirrors_the_error(exact):
    np.testing.assert_allclose(exact.errors(-1e-3), exact.errors(1e-3), rtol=0.05)


def test_missing_slope_of_the_output_leaves_an_error_at_any_beta():
    """The published energy-based code omits rho' on the output; then the limit is not BPTT."""
    check = Check("energy-based", output_slope=False)
    errors = [check.errors(beta).max() for beta in (1e-3, 1e-4)]
    assert errors[1] > 0.01
    assert errors[0] == pytest.approx(errors[1], rel=0.1)


def test_prototypical_floor_does_not_depend_on_beta(prototypical):
    floor = prototypical.errors(1e-4)
    assert floor.min() > 0.01
    for beta in (1e-3, 1e-5, -1e-4):
        np.testing.assert_allclose(prototypical.errors(beta), floor, rtol=0.02)
    assert prototypical.distance(1e-3, 1e-4).angle > 3 * prototypical.distance(1e-3).angle


def test_vector_field_angle_grows_with_the_angle_of_the_weights():
    turned = (0.0, 22.5, 45.0, 90.0)
    angles = [
        Check("prototypical", symmetric=False, angle=psi).distance(1e-3).angle for psi in turned
    ]
    assert angles == sorted(angles)
    assert angles[0] < 10
    assert angles[-1] > 40


@pytest.mark.parametrize("options", [{}, {"symmetric": False, "angle": 30.0}])
def test_process_is_the_training_that_the_learner_does(options):
    """Summed over the slots, eta times Delta_theta is what the trained weights moved by."""
    check = Check("prototypical", (12, 30, 4), 3, **options)
    beta, eta = 0.2, np.array([0.05, 0.02])
    symmetric = check.network.layout.symmetric
    rule = get_rule("cep" if symmetric else "cvf", symmetric)
    trained = check.theta.copy()
    schedule = Schedule(400, 20, beta, eta)
    learner = IdealLearner(check.network, trained, rule, schedule)
    learner.train_batch(check.x, check.y, 1.0, 0)
    process, layout = check.process(beta, eta), check.network.layout
    total = process.theta.sum(axis=0)
    for layer in (1, 2):
        for view in (layout.weight, layout.bias):
            moved = view(trained, layer) - view(check.theta, layer)
            np.testing.assert_allclose(moved, eta[layer - 1] * view(total, layer), 0, 1e-13)
    if not symmetric:
        moved = layout.backward(trained, 2) - layout.backward(check.theta, 2)
        np.testing.assert_allclose(moved, eta[1] * layout.backward(total, 2), 0, 1e-13)
    assert np.abs(total).max() > 1e-3


@pytest.mark.parametrize("dynamics", ["prototypical", "energy-based"])
def test_first_slot_is_the_nudge_itself(dynamics):
    """Delta_s(0) = -dL/ds_T on the output and 0 elsewhere, whatever dt and beta are."""
    check = Check(dynamics, (12, 10, 4), 3)
    process = check.process(0.3)
    curves = unit_curves(check.network.layout, process.state, 3)
    output = check.network.layout.split(check.path.states[-1], 3)[-1]
    np.testing.assert_allclose(curves["s_2"][0], (check.y - output).mean(axis=0), 0, 1e-12)
    np.testing.assert_allclose(curves["s_1"][0], 0, atol=1e-12)


def test_float32_agrees_where_beta_is_not_too_small():
    double = Check("energy-based", (12, 10, 4)).process(0.01, 1e-5)
    single = Check("energy-based", (12, 10, 4), dtype=np.float32).process(0.01, 1e-5)
    assert single.theta.dtype == np.float32
    scale = np.abs(double.theta).max()
    np.testing.assert_allclose(single.theta, double.theta, 0, 2e-3 * scale)


def test_synapses_without_input_are_left_out():
    """A dark pixel's synapses have no gradient and no update, and prove nothing."""
    check = Check("energy-based", (12, 10, 4))
    lit = check.distance(1e-3, 1e-5)
    network = HopfieldNetwork.build((72, 10, 4), "energy-based", "tanh", time_step=0.08)
    layout = network.layout
    padded = np.zeros(layout.length)
    layout.weight(padded, 1)[:12] = check.network.layout.weight(check.theta, 1)
    padded[layout.bias_at[1] :] = check.theta[check.network.layout.bias_at[1] :]
    x = np.concatenate([check.x, np.zeros((1, 60))], axis=1)
    path = free_trajectory(network, padded, x, 3000, 80)
    nabla = backpropagate(network, padded, x, check.y, path)
    process = nudged_process(network, padded, x, check.y, path, 1e-3, 1e-5)
    dark = compare(layout, process, nabla, 1)
    assert dark.error["w_1"] == pytest.approx(lit.error["w_1"], rel=1e-6)
    assert dark.angle == pytest.approx(lit.angle, rel=1e-6)
    assert dark.sign_agreement == pytest.approx(lit.sign_agreement)


def test_relative_error_is_a_ratio_of_norms():
    delta = np.array([[1.0, 3.0, 0.0, 2.0], [0.0, 4.0, 0.0, 0.0]])
    nabla = np.array([[-1.0, 0.0, 0.0, 2.0], [0.0, 0.0, 0.0, 0.0]])
    np.testing.assert_allclose(relative_error(delta, nabla), [0.0, 1.0, 0.0, 2.0])


def test_tiny_and_undefined_angles():
    assert angle_degrees(np.array([1.0, 0.0]), np.array([1.0, 1e-10])) == pytest.approx(
        np.rad2deg(1e-10), rel=1e-6
    )
    assert angle_degrees(np.array([1.0, 0.0]), np.array([-2.0, 0.0])) == pytest.approx(180)
    assert np.isnan(angle_degrees(np.zeros(2), np.ones(2)))
    assert np.isnan(angle_degrees(np.array([np.inf, 1.0]), np.ones(2)))


def test_free_phase_shorter_than_the_nudged_one_is_refused(exact):
    with pytest.raises(ConfigError, match="at most as many"):
        free_trajectory(exact.network, exact.theta, exact.x, 5, 6)


@pytest.fixture(scope="module")
def digits():
    data = load("digits", dtype=np.float64)
    return data.x_train, np.eye(10)[data.y_train]


class TestDebugContinual:
    """C-EP with a tiny learning rate, the drift subtracted and one update at the end, is EP."""

    @staticmethod
    def learner(theta, rule, factor=1.0):
        network = HopfieldNetwork.build([64, 40, 10])
        schedule = Schedule(30, 10, 0.1, factor * np.array([0.8, 0.4]))
        return IdealLearner(network, theta, get_rule(rule, True), schedule)

    def debug_update(self, theta, x, y, factor=1e-5):
        """Return what one update with the sum of the slots' contrasts would be."""
        drifted = theta.copy()
        self.learner(drifted, "cep", factor).train_batch(x, y, 1.0, 0)
        return (drifted - theta) / factor

    @pytest.fixture
    def theta(self):
        return HopfieldNetwork.build([64, 40, 10]).initial_parameters(np.random.default_rng(0))

    def test_one_update(self, digits, theta):
        x, y = (part[:20] for part in digits)
        ep = theta.copy()
        self.learner(ep, "ep").train_batch(x, y, 1.0, 0)
        size = np.linalg.norm(ep - theta)
        far, near = (
            np.linalg.norm(self.debug_update(theta, x, y, factor) - (ep - theta)) / size
            for factor in (1e-5, 1e-7)
        )
        assert near < 1e-5
        assert far / near == pytest.approx(100, rel=0.05)
        continual = theta.copy()
        self.learner(continual, "cep").train_batch(x, y, 1.0, 0)
        assert np.linalg.norm(continual - ep) > 0.5 * size

    def test_learning_curve(self, digits, theta):
        ep, debug = theta.copy(), theta.copy()
        learner = self.learner(ep, "ep")
        curves = []
        for first in range(0, 1440, 20):
            x, y = (part[first : first + 20] for part in digits)
            outs = learner.train_batch(x, y, 1.0, 0), self.learner(debug, "ep").outputs(x)
            curves.append([0.5 * np.sum((out - y) ** 2) / len(x) for out in outs])
            debug += self.debug_update(debug, x, y)
        expected, own = np.array(curves).T
        np.testing.assert_allclose(own, expected, rtol=1e-2)
        assert expected[-10:].mean() < 0.5 * expected[:3].mean()
