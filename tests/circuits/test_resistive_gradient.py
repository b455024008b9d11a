"""Equilibrium propagation on resistive networks gives the gradient of the loss."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from ohmlearn.circuits.resistive.energy import local_changes, local_products
from ohmlearn.circuits.resistive.network import DIODES, Diode, ResistiveNetwork
from ohmlearn.circuits.resistive.newton import settle
from ohmlearn.circuits.simulator import Phase

FOLDER = Path(__file__).parents[1] / "golden"
GOLDEN = json.loads((FOLDER / "drn_4_4_2.json").read_text(encoding="utf-8"))
SHOCKLEY = Diode(DIODES["shockley"], 2.52e-9, 1.752)


def golden():
    given = GOLDEN["inputs"]
    low = [-np.inf if v is None else v for v in given["hidden_lower"]]
    high = [np.inf if v is None else v for v in given["hidden_upper"]]
    g, bias = [np.array(given[k]) for k in ("G1", "G2")], [given["b_h"], given["b_o"]]
    net = ResistiveNetwork.build(g, bias=bias, low=[low, None], high=[high, None])
    return net, np.array([given["v_in"]]), np.array([given["target"]], np.float64)


def estimate(net, x, target, beta, centred=True):
    """Return the gradient by equilibrium propagation, per layer."""
    free = settle(net, Phase(x))
    plus = settle(net, Phase(x, beta, target), free.voltages)
    first = free
    if centred:
        first = settle(net, Phase(x, -beta, target), free.voltages)
    assert plus.converged.all()
    assert first.converged.all()
    changes = local_changes(net, x, first.voltages, plus.voltages)
    return [change / ((2 if centred else 1) * beta) for change in changes]


def relative(estimates, exact):
    return np.array(
        [np.linalg.norm(a - b) / np.linalg.norm(b) for a, b in zip(estimates, exact, strict=True)]
    )


def loss(net, x, target):
    return 0.5 * ((settle(net, Phase(x)).voltages[-1] - target) ** 2).sum(axis=1).mean()


def finite_differences(net, x, target, step=2e-4):
    """Return the gradient of the loss by every conductance, by differences of order 4."""
    gradient = [np.zeros_like(g) for g in net.g]
    for layer, g in enumerate(net.g):
        for at in np.ndindex(g.shape):
            moved = 0.0
            for times, weight in ((-2, 1), (-1, -8), (1, 8), (2, -1)):
                changed = g.copy()
                changed[at] *= 1 + times * step
                layers = (*net.g[:layer], changed, *net.g[layer + 1 :])
                moved += weight * loss(replace(net, g=layers), x, target)
            gradient[layer][at] = moved / (12 * step * g[at])
    return gradient


def shockley(sizes, gain=1.0, back=None, seed=3):
    rng = np.random.default_rng(seed)
    g = [rng.uniform(1e-6, 3e-5, pair) for pair in pairwise(sizes)]
    rails = [[sign * 0.3] * len(g) for sign in (-1, 1)]
    net = ResistiveNetwork.build(
        g, low=rails[0], high=rails[1], diode=SHOCKLEY, gain=gain, back_gain=back
    )
    x, target = rng.uniform(-1, 1, (3, sizes[0])), rng.uniform(-0.2, 0.2, (3, sizes[-1]))
    return net, x, target


def test_the_golden_gradient_is_the_limit_of_small_nudges():
    net, x, target = golden()
    exact = [np.array(GOLDEN["gradients"][k]) for k in ("dC_dG1", "dC_dG2")]
    for a, b in zip(estimate(net, x, target, 1e-5), exact, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-9)


@pytest.mark.parametrize("kind", ["one_sided", "centred"])
def test_the_golden_table_of_errors_is_reproduced(kind):
    net, x, target = golden()
    exact = [np.array(GOLDEN["gradients"][k]) for k in ("dC_dG1", "dC_dG2")]
    for beta, expected in GOLDEN["ep_relative_error"][kind].items():
        found = relative(estimate(net, x, target, float(beta), kind == "centred"), exact)
        np.testing.assert_allclose(found, expected, rtol=3e-3)


def test_bias_gradients_are_minus_the_change_of_voltage():
    net, x, target = golden()
    beta = 1e-5
    plus, minus = (settle(net, Phase(x, sign * beta, target)) for sign in (1, -1))
    for name, a, b in zip(("dC_db_h", "dC_db_o"), plus.voltages, minus.voltages, strict=True):
        np.testing.assert_allclose(-(a - b)[0] / (2 * beta), GOLDEN["gradients"][name], atol=1e-8)


@pytest.mark.parametrize(
    ("sizes", "gain", "back"),
    [
        ((5, 3), 1.0, None),
        ((5, 4, 3), 4.0, 0.25),
        ((5, 4, 4, 3), 4.0, 0.25),
        ((5, 4, 4, 3), 2.0, 0.5),
        ((5, 4, 4, 3), 2.0, 2.0),
        ((5, 4, 4, 3), (4.0, 1.5), (0.5, 0.9)),
    ],
)
def test_gradient_with_diodes_and_amplifiers(sizes, gain, back):
    net, x, target = shockley(sizes, gain, back)
    exact = finite_differences(net, x, target)
    fine = relative(estimate(net, x, target, 1e-9), exact)
    assert fine.max() < 2e-6
    one_sided = [relative(estimate(net, x, target, b, False), exact) for b in (4e-8, 2e-8, 1e-8)]
    centred = [relative(estimate(net, x, target, b), exact) for b in (2e-7, 1e-7, 5e-8)]
    for errors, order in ((one_sided, 1), (centred, 2)):
        assert errors[-1].max() > 10 * fine.max()
        orders = [np.log2(a / b) for a, b in pairwise(errors)]
        np.testing.assert_allclose(orders, order, atol=0.25)


@pytest.mark.parametrize(
    ("gain", "back", "ratios"),
    [
        (4.0, 0.25, (1 / 256, 1 / 16, 1)),
        (2.0, 0.5, (1 / 16, 1 / 4, 1)),
        (2.0, 2.0, (1, 1, 1)),
    ],
)
def test_without_its_factor_a_layer_sees_the_gradient_through_the_amplifiers(gain, back, ratios):
    net, x, target = shockley((5, 4, 4, 3), gain, back)
    exact = finite_differences(net, x, target)
    beta = 1e-8
    plus, minus = (settle(net, Phase(x, sign * beta, target)) for sign in (1, -1))
    for layer, (truth, expected) in enumerate(zip(exact, ratios, strict=True)):
        seen = []
        for found in (plus, minus):
            before = x if layer == 0 else gain * found.voltages[layer - 1]
            across = before[:, :, None] - found.voltages[layer][:, None, :]
            seen.append(0.5 * (across**2).mean(axis=0))
        raw = (seen[0] - seen[1]) / (2 * beta)
        assert np.sum(raw * truth) / np.sum(truth**2) == pytest.approx(expected, rel=1e-4)


def test_a_nudging_current_gives_the_same_gradient():
    net, x, target = shockley((5, 4, 3), 4.0)
    free = settle(net, Phase(x))
    pull = target - free.voltages[-1]
    beta = 1e-8
    states = [
        settle(net, Phase(x, current=sign * beta * pull), free.voltages).voltages
        for sign in (-1, 1)
    ]
    found = [change / (2 * beta) for change in local_changes(net, x, *states)]
    assert relative(found, finite_differences(net, x, target)).max() < 1e-5


def test_changes_are_differences_of_products_that_rounding_spares():
    net, x, target = shockley((5, 4, 4, 3), 4.0)
    a, b = (settle(net, Phase(x, beta, target)).voltages for beta in (0.0, 1e-6))
    changes = local_changes(net, x, a, b)
    products = [local_products(net, x, v) for v in (a, b)]
    for change, old, new in zip(changes, *products, strict=True):
        np.testing.assert_allclose(change, new - old, atol=1e-13 * np.abs(new).max())
    # inputs a million times larger than the change: the difference of products is lost
    offset = 1e6 + x
    late = [np.zeros_like(v) for v in a]
    tiny = [np.full_like(v, 1e-9) for v in a]
    first = local_changes(net, offset, late, tiny)[0]
    exact = -(1e-9 * offset.mean(axis=0) - 0.5e-18) * net.factors()[0]
    np.testing.assert_allclose(first, np.broadcast_to(exact[:, None], first.shape), rtol=1e-12)
