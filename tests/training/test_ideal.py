"""The ideal learner's kernels against the published step-by-step formulas in plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from ohmlearn.circuits.hopfield import HopfieldNetwork
from ohmlearn.errors import ConfigError
from ohmlearn.training.ideal import IdealLearner, Schedule
from ohmlearn.training.rules import RULES, get_rule

RHO = {
    "sigmoid": lambda v: 1 / (1 + np.exp(-4 * (v - 0.5))),
    "tanh": np.tanh,
    "hard-sigmoid": lambda v: np.clip(v, 0, 1),
}
RHO_PRIME = {
    "sigmoid": lambda v: 4 * RHO["sigmoid"](v) * (1 - RHO["sigmoid"](v)),
    "tanh": lambda v: 1 - np.tanh(v) ** 2,
    "hard-sigmoid": lambda v: ((v >= 0) & (v <= 1)).astype(float),
}
SIZES = {1: [9, 6], 2: [9, 26, 6], 3: [9, 7, 25, 6]}


class Plain:
    """EP, C-EP, centred EP, VF and C-VF, weight by weight and step by step.

    ``w[l]`` (n_{l-1}, n_l) and ``back[l]`` (n_l, n_{l-1}) hold layers 1..N; index 0 is unused.
    """

    def __init__(self, network: HopfieldNetwork, theta: np.ndarray, activation: str, **physics):
        layout = network.layout
        self.n = layout.depth
        self.shared = layout.symmetric
        self.w = [np.empty(0)] + [layout.weight(theta, k).copy() for k in self.layers]
        self.b = [np.empty(0)] + [layout.bias(theta, k).copy() for k in self.layers]
        self.back = [np.empty(0)] + [layout.backward(theta, k).T.copy() for k in self.layers]
        self.activation, self.physics = activation, physics

    @property
    def layers(self):
        return range(1, self.n + 1)

    def rho(self, v):
        return RHO[self.activation](v)

    def sent(self, s):
        if self.physics["dynamics"] == "prototypical":
            return s
        return [s[0]] + [self.rho(v) for v in s[1:]]

    def step(self, s, beta, y):
        r = self.sent(s)
        following = [s[0]]
        for k in self.layers:
            a = r[k - 1] @ self.w[k] + self.b[k]
            if k < self.n:
                a = a + r[k + 1] @ (self.w[k + 1].T if self.shared else self.back[k + 1])
            nudge = beta * (y - s[k]) if k == self.n else 0.0
            if self.physics["dynamics"] == "prototypical":
                following.append(self.rho(a) + nudge)
                continue
            if k < self.n or self.physics["output_slope"]:
                a = RHO_PRIME[self.activation](s[k]) * a
            v = s[k] + self.physics["time_step"] * (-s[k] + a + nudge)
            following.append(np.clip(v, 0, 1) if self.physics["clamp"] else v)
        return following

    def settle(self, s, steps, beta, y):
        for _ in range(steps):
            s = self.step(s, beta, y)
        return s

    def contrast(self, old, new, factor, eta, vector_field, slope=False, input_bias=True):
        r_old, r_new = self.sent(old), self.sent(new)
        # (dF/dW)^T ds: the dynamics carry rho' on every layer but a plain energy-based output.
        moved = [b - a for a, b in zip(r_old, r_new, strict=True)]
        if not self.physics["output_slope"]:
            moved[-1] = new[-1] - old[-1]
        if slope:
            moved = [m * rho_prime_of(self.activation, s) for m, s in zip(moved, old, strict=True)]
        for k in self.layers:
            scale = eta[k - 1] * factor / len(old[0])
            if vector_field:
                self.w[k] += scale * r_old[k - 1].T @ moved[k]
                self.b[k] += scale * moved[k].sum(0) * (k > 1 or input_bias)
                if k > 1:
                    self.back[k] += scale * r_old[k].T @ moved[k - 1]
            else:
                self.w[k] += scale * (r_new[k - 1].T @ r_new[k] - r_old[k - 1].T @ r_old[k])
                self.b[k] += scale * (r_new[k] - r_old[k]).sum(0) * (k > 1 or input_bias)

    def train(self, rule, schedule, x, y, beta, slope=False):
        more = slope, schedule.input_bias
        eta, steps = schedule.eta, schedule.nudged_steps
        zero = [x] + [np.zeros((len(x), len(b))) for b in self.b[1:]]
        free = self.settle(zero, schedule.free_steps, 0.0, y)
        if rule in ("cep", "cvf"):
            old = free
            for _ in range(steps):
                new = self.step(old, beta, y)
                self.contrast(old, new, 1 / beta, eta, rule == "cvf", *more)
                old = new
        elif rule == "centred-ep":
            up, down = (self.settle(free, steps, sign * beta, y) for sign in (1, -1))
            self.contrast(down, up, 0.5 / beta, eta, False, *more)
        else:
            nudged = self.settle(free, steps, beta, y)
            self.contrast(free, nudged, 1 / beta, eta, rule == "vf", *more)
        return free[-1]

    def assert_equals(self, network, theta, tolerance):
        layout = network.layout
        for k in self.layers:
            np.testing.assert_allclose(layout.weight(theta, k), self.w[k], 0, tolerance)
            np.testing.assert_allclose(layout.bias(theta, k), self.b[k], 0, tolerance)
            if k > 1 and not self.shared:
                np.testing.assert_allclose(layout.backward(theta, k).T, self.back[k], 0, tolerance)


def problem(depth, symmetric, batch, seed=3, **physics):
    sizes = SIZES[depth]
    rng = np.random.default_rng(seed)
    network = HopfieldNetwork.build(sizes, symmetric=symmetric, **physics)
    theta = network.initial_parameters(rng, angle=40.0)
    x = rng.random((2, batch, sizes[0])) * (rng.random((2, batch, sizes[0])) < 0.6)
    y = np.eye(sizes[-1])[rng.integers(0, sizes[-1], (2, batch))]
    return network, theta, x, y


def train_both(rule, network, theta, x, y, activation, **physics):
    """Train the learner and the plain form on two batches, the second with beta < 0."""
    depth = network.layout.depth
    eta = np.linspace(0.3, 0.1, depth)
    schedule = Schedule(free_steps=23, nudged_steps=7, beta=0.2, eta=eta)
    plain = Plain(network, theta, activation, **physics)
    learner = IdealLearner(network, theta, get_rule(rule, network.layout.symmetric), schedule)
    for k, sign in enumerate((1.0, -1.0)):
        out = learner.train_batch(x[k], y[k], sign, k)
        expected = plain.train(rule, schedule, x[k], y[k], sign * schedule.beta)
        np.testing.assert_allclose(out, expected, 0, 1e-12)
    return plain


def rho_prime_of(activation, sent):
    """Return rho' where the neuron sends *sent*, at least 0 beyond the range of rho."""
    if activation == "sigmoid":
        return np.maximum(4 * sent * (1 - sent), 0)
    if activation == "tanh":
        return np.maximum(1 - sent**2, 0)
    return 1.0 * ((sent > 0) & (sent < 1))


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "hard-sigmoid"])
@pytest.mark.parametrize("rule", ["cvf", "vf"])
@pytest.mark.parametrize("input_bias", [True, False])
def test_the_definition_of_the_vector_field_rule_carries_the_slope(rule, activation, input_bias):
    network, theta, x, y = problem(2, False, 3, activation=activation)
    before = theta.copy()
    physics = {"dynamics": "prototypical", "output_slope": True}
    plain = Plain(network, theta, activation, **physics)
    schedule = Schedule(23, 7, 0.2, np.array([0.3, 0.2]), input_bias)
    chosen = get_rule(rule, False)._replace(slope=True)
    learner = IdealLearner(network, theta, chosen, schedule)
    learner.train_batch(x[0], y[0], 1.0, 0)
    plain.train(rule, schedule, x[0], y[0], 0.2, slope=True)
    plain.assert_equals(network, theta, 1e-12)
    unchanged = np.array_equal(network.layout.bias(theta, 1), network.layout.bias(before, 1))
    assert unchanged != input_bias
    assert np.abs(theta - before).max() > 1e-4


@pytest.mark.parametrize("rule", ["cep", "ep", "centred-ep"])
def test_the_biases_of_the_first_layer_may_stay(rule):
    network, theta, x, y = problem(2, True, 3)
    before = theta.copy()
    plain = Plain(network, theta, "sigmoid", dynamics="prototypical", output_slope=True)
    schedule = Schedule(23, 7, 0.2, np.array([0.3, 0.2]), input_bias=False)
    IdealLearner(network, theta, get_rule(rule, True), schedule).train_batch(x[0], y[0], 1.0, 0)
    plain.train(rule, schedule, x[0], y[0], 0.2)
    plain.assert_equals(network, theta, 1e-12)
    layout = network.layout
    np.testing.assert_array_equal(layout.bias(theta, 1), layout.bias(before, 1))


@pytest.mark.parametrize("batch", [1, 2, 5])
@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("dynamics", ["prototypical", "energy-based"])
@pytest.mark.parametrize("rule", list(RULES))
def test_learner_equals_the_plain_step_by_step_loop(rule, dynamics, depth, batch):
    physics = {"dynamics": dynamics, "time_step": 0.3, "clamp": False, "output_slope": True}
    symmetric = rule not in ("vf", "cvf")
    network, theta, x, y = problem(depth, symmetric, batch, activation="sigmoid", **physics)
    before = theta.copy()
    plain = train_both(rule, network, theta, x, y, "sigmoid", **physics)
    plain.assert_equals(network, theta, 1e-12)
    assert np.abs(theta - before).max() > 1e-3


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
@pytest.mark.parametrize("batch", [1, 7, 20])
def test_layers_of_several_tiles_equal_the_plain_loop(batch, activation, monkeypatch):
    """More columns than a tile, and rows that do not fill one."""
    monkeypatch.setitem(SIZES, 2, [31, 70, 7])
    physics = {"dynamics": "prototypical", "clamp": False, "output_slope": True, "time_step": 1.0}
    network, theta, x, y = problem(2, True, batch, activation=activation, **physics)
    theta *= 0.3
    plain = train_both("cep", network, theta, x, y, activation, **physics)
    plain.assert_equals(network, theta, 1e-11)


@pytest.mark.parametrize("rule", ["cep", "cvf", "ep"])
@pytest.mark.parametrize(
    ("activation", "clamp", "output_slope"),
    [("tanh", False, False), ("hard-sigmoid", True, True), ("sigmoid", True, False)],
)
def test_energy_based_variants_equal_the_plain_loop(rule, activation, clamp, output_slope):
    physics = {
        "dynamics": "energy-based",
        "time_step": 0.3,
        "clamp": clamp,
        "output_slope": output_slope,
    }
    network, theta, x, y = problem(2, rule != "cvf", 3, activation=activation, **physics)
    plain = train_both(rule, network, theta, x, y, activation, **physics)
    plain.assert_equals(network, theta, 1e-12)


@pytest.mark.parametrize("rule", ["cep", "ep"])
def test_float32_follows_float64(rule):
    physics = {"dynamics": "prototypical", "clamp": False, "output_slope": True, "time_step": 1.0}
    network, theta, x, y = problem(2, True, 5, activation="sigmoid", **physics)
    single = theta.astype(np.float32)
    plain = train_both(rule, network, theta, x, y, "sigmoid", **physics)
    schedule = Schedule(23, 7, 0.2, np.linspace(0.3, 0.1, 2))
    learner = IdealLearner(network, single, get_rule(rule, True), schedule)
    for k, sign in enumerate((1.0, -1.0)):
        learner.train_batch(x[k].astype(np.float32), y[k].astype(np.float32), sign, k)
    plain.assert_equals(network, single, 2e-5)


def test_continual_rule_without_weight_motion_is_ep():
    """With eta -> 0 the slots telescope: C-EP's update per eta tends to EP's."""
    physics = {"dynamics": "prototypical", "clamp": False, "output_slope": True, "time_step": 1.0}
    network, theta, x, y = problem(2, True, 5, activation="sigmoid", **physics)
    updates = {}
    for rule, eta in (("ep", 1e-4), ("cep", 1e-4), ("cep", 1e-6)):
        moved = theta.copy()
        schedule = Schedule(23, 7, 0.2, np.full(2, eta))
        IdealLearner(network, moved, get_rule(rule, True), schedule).train_batch(
            x[0], y[0], 1.0, 0
        )
        updates[rule, eta] = (moved - theta) / eta
    ep = updates["ep", 1e-4]
    far, near = (np.linalg.norm(updates["cep", eta] - ep) for eta in (1e-4, 1e-6))
    assert 0 < near < 1e-4 * np.linalg.norm(ep)
    assert far / near == pytest.approx(100, rel=0.02)


@pytest.mark.parametrize(("rule", "symmetric"), [("cep", False), ("ep", False), ("cvf", True)])
def test_rule_that_does_not_fit_the_weights_is_refused(rule, symmetric):
    with pytest.raises(ConfigError, match="use one of"):
        get_rule(rule, symmetric)
