"""What resistive networks are asked to change: gradients, their orders, and the three rules."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from ohmlearn.circuits.hopfield import make_layout
from ohmlearn.circuits.numba_simulator import NumbaSimulator
from ohmlearn.circuits.resistive.network import DIODES, Diode, ResistiveNetwork
from ohmlearn.circuits.resistive.packed import Rails, make_rails, pack
from ohmlearn.training.resistive.conductances import Floats
from ohmlearn.training.resistive.encoding import Encoding
from ohmlearn.training.resistive.learner import Phases, ResistiveLearner
from ohmlearn.training.resistive.physics import Descent
from ohmlearn.training.resistive.readout import LOSSES, Readout
from ohmlearn.training.resistive.settling import Settling
from ohmlearn.training.rules import RULES

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "drn_4_4_2.json").read_text())
X = np.array([GOLDEN["inputs"]["v_in"]])[:, :2]  # the other two are their opposites
TARGET = np.array([GOLDEN["inputs"]["target"]], float)
ETA = 1e-6


def golden_learner(rule, beta, steps=400, slots=400, eta=ETA):
    given = GOLDEN["inputs"]
    bounds = [
        np.array([default if v is None else v for v in given[key]], float)
        for key, default in (("hidden_lower", -np.inf), ("hidden_upper", np.inf))
    ]
    network = ResistiveNetwork.build(
        [np.array(given["G1"]), np.array(given["G2"])],
        bias=[np.array(given["b_h"]), np.array(given["b_o"])],
        low=[bounds[0], None],
        high=[bounds[1], None],
    )
    layout, theta = pack(network)
    rails = make_rails(network)
    rates = np.full(2, eta)
    synapses = Floats(layout, rails, theta, rates, rates)
    physics = Descent(layout, rails, theta)
    phases = Phases(steps, slots, beta, carried=False)
    return ResistiveLearner(layout, Encoding(), Readout(), physics, synapses, RULES[rule], phases)


def golden_update(rule, beta, slots=400, eta=ETA):
    """Return minus the changes of G1, G2, b_h, b_o per learning rate."""
    learner = golden_learner(rule, beta, slots=slots, eta=eta)
    before = learner.theta.copy()
    learner.train_batch(X, TARGET, 1.0, 0)
    change = (before - learner.theta) / eta
    return [
        *(learner.layout.weight(change, layer) for layer in (1, 2)),
        *(learner.layout.bias(change, layer) for layer in (1, 2)),
    ]


def relative_errors(rule, beta):
    truth = [np.array(GOLDEN["gradients"][name]) for name in ("dC_dG1", "dC_dG2")]
    return [
        np.linalg.norm(u - t) / np.linalg.norm(t)
        for u, t in zip(golden_update(rule, beta), truth, strict=False)
    ]


def test_the_golden_gradient():
    found = golden_update("centred-ep", 1e-4)
    for got, name in zip(found, ("dC_dG1", "dC_dG2", "dC_db_h", "dC_db_o"), strict=True):
        np.testing.assert_allclose(got, GOLDEN["gradients"][name], atol=1e-6)


@pytest.mark.parametrize(("rule", "kind"), [("ep", "one_sided"), ("centred-ep", "centred")])
def test_errors_are_the_published_ones(rule, kind):
    for beta, expected in GOLDEN["ep_relative_error"][kind].items():
        np.testing.assert_allclose(relative_errors(rule, float(beta)), expected, rtol=0.02)


def test_the_order_in_beta():
    one = [np.array(relative_errors("ep", beta)) for beta in (0.02, 0.01)]
    two = [np.array(relative_errors("centred-ep", beta)) for beta in (0.04, 0.02)]
    np.testing.assert_allclose(one[0] / one[1], 2.0, atol=0.05)
    np.testing.assert_allclose(two[0] / two[1], 4.0, atol=0.1)


def test_continual_learning_becomes_ep_as_eta_vanishes():
    """The slots' requests telescope; what they change in between is of the order of eta."""
    ep = golden_update("ep", 0.05, slots=60)
    gaps = []
    for eta in (1e-3, 1e-4):
        cep = golden_update("cep", 0.05, slots=60, eta=eta)
        gaps.append(max(np.abs(a - b).max() for a, b in zip(cep, ep, strict=True)))
    assert gaps[0] > 1e-3
    assert gaps[0] / gaps[1] == pytest.approx(10.0, rel=0.2)


def test_a_slot_hears_the_slot_before():
    together = golden_update("cep", 0.5, slots=2, eta=0.05)
    apart = golden_update("cep", 0.5, slots=2, eta=1e-6)
    assert np.abs(together[0] - apart[0]).max() > 1e-3


# ---- amplifiers, doubled outputs, losses -----------------------------------------------------

SIZES = (10, 8, 7, 6)


def amplified_learner(beta, readout, corrected=True, diode="piecewise", back=None):
    rng = np.random.default_rng(7)
    shapes = list(pairwise(SIZES))
    network = ResistiveNetwork.build(
        [np.zeros(shape) for shape in shapes],
        low=[-0.05, -0.05, None],
        high=[0.05, 0.05, None],
        diode=Diode(DIODES[diode], i_s=2.52e-9, n=1.752, v_on=0.2),
        gain=4.0,
        back_gain=back,
    )
    layout = make_layout(SIZES)
    theta = np.zeros(layout.length)
    for layer, shape in enumerate(shapes, 1):
        layout.weight(theta, layer)[...] = rng.uniform(0.1, 8.0, shape)
    free = np.full(layout.units, np.inf)
    ends = np.array([1.0, 1.0, *network.gain]), np.array([1.0, 1.0, *network.back_gain])
    rails = Rails(-free, free, *ends)
    eta = ETA * (network.factors() if corrected else np.ones(3))
    unit = 1e-6
    synapses = Floats(layout, rails, theta, eta, np.zeros(3), unit=unit)
    physics = Settling(NumbaSimulator(), network, layout, theta, rails, unit)
    return ResistiveLearner(
        layout,
        Encoding(2.0, 0.5, rails=(0.0, 1.0)),
        readout,
        physics,
        synapses,
        RULES["centred-ep"],
        Phases(1, 1, beta),
    )


def batch(rows=5):
    rng = np.random.default_rng(8)
    return rng.uniform(0, 1, (rows, 4)), np.eye(3)[rng.integers(0, 3, rows)]


def update_and_slopes(learner, picks=4):
    """Return, by layer, updates per learning rate and central differences of the loss."""
    x, target = batch()
    kept = learner.theta.copy()
    learner.train_batch(x, target, 1.0, 0)
    change = (kept - learner.theta) / ETA
    learner.theta[:] = kept

    def loss():
        return learner.loss(learner.outputs(x), target) / len(x)

    rng, result = np.random.default_rng(9), []
    for layer in range(1, learner.layout.depth + 1):
        g, c = (learner.layout.weight(t, layer) for t in (learner.theta, change))
        pairs = []
        for _ in range(picks):
            at = tuple(rng.integers(g.shape))
            own, h = g[at], 1e-3 * g[at]
            g[at] = own + h
            up = loss()
            g[at] = own - h
            down = loss()
            g[at] = own
            pairs.append((c[at], (up - down) / (2 * h)))
        result.append(np.array(pairs))
    return result


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("diode", ["piecewise", "shockley"])
def test_a_whole_step_is_the_gradient_of_the_reported_loss(loss, diode):
    readout = Readout(loss, 10.0, doubled=True, by_current=True)
    for pairs in update_and_slopes(amplified_learner(1e-3, readout, diode=diode)):
        np.testing.assert_allclose(pairs[:, 0], pairs[:, 1], rtol=1e-3, atol=1e-7)


@pytest.mark.parametrize(("back", "ratio"), [(None, 1 / 16), (4.0, 1.0), (1.0, 1 / 4)])
def test_amplifiers_scale_the_uncorrected_gradient(back, ratio):
    readout = Readout("cross-entropy", 10.0, doubled=True, by_current=True)
    learner = amplified_learner(1e-3, readout, corrected=False, back=back)
    for behind, pairs in enumerate(reversed(update_and_slopes(learner))):
        np.testing.assert_allclose(pairs[:, 0], ratio**behind * pairs[:, 1], rtol=1e-3, atol=1e-8)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("doubled", [False, True])
def test_the_nudge_is_minus_the_slope_of_the_reported_loss(loss, doubled):
    readout = Readout(loss, 3.0, doubled=doubled, by_current=True)
    rng = np.random.default_rng(2)
    target = np.array([[0.0, 1.0, 0.0], [0.2, 0.3, 0.5]])
    volts = rng.normal(size=(2, readout.nodes(3)))
    slope = readout.slope(volts, target)
    for at in np.ndindex(volts.shape):
        moved = [volts.copy(), volts.copy()]
        moved[0][at] += 1e-5
        moved[1][at] -= 1e-5
        up, down = (readout.total_loss(readout.signals(v), target) for v in moved)
        assert slope[at] == pytest.approx((up - down) / 2e-5, abs=1e-8)


def test_nudging_by_conductance_and_by_current_agree_for_small_beta():
    by_current = golden_learner("centred-ep", 1e-4)
    by_current.readout = Readout(by_current=True)
    by_current.train_batch(X, TARGET, 1.0, 0)
    by_conductance = golden_learner("centred-ep", 1e-4)
    start = by_conductance.theta.copy()
    by_conductance.train_batch(X, TARGET, 1.0, 0)
    a, b = by_current.theta - start, by_conductance.theta - start
    np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4 * np.abs(b).max())


def test_the_gain_of_a_conductance_nudge_belongs_to_the_loss():
    learner = golden_learner("centred-ep", 1e-4)
    learner.readout = Readout(gain=2.0)
    kept = learner.theta.copy()
    learner.train_batch(X, TARGET, 1.0, 0)
    change = (kept - learner.theta) / ETA
    learner.theta[:] = kept
    g, found = (learner.layout.weight(t, 2) for t in (learner.theta, change))
    losses = []
    for h in (1e-5, -1e-5):
        g[3, 1] += h
        losses.append(learner.loss(learner.outputs(X), TARGET))
        g[3, 1] -= h
    assert found[3, 1] == pytest.approx((losses[0] - losses[1]) / 2e-5, rel=1e-4)
