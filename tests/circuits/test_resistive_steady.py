"""Steady states of resistive networks: the golden vector, Kirchhoff's law, and what has none."""

from __future__ import annotations

import json
import subprocess
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from ohmlearn.circuits.numba_simulator import NumbaSimulator
from ohmlearn.circuits.resistive.energy import node_currents
from ohmlearn.circuits.resistive.network import DIODES, Diode, ResistiveNetwork
from ohmlearn.circuits.resistive.newton import settle
from ohmlearn.circuits.simulator import Phase
from ohmlearn.errors import ConfigError

GOLDEN = json.loads(
    (Path(__file__).parents[1] / "golden" / "drn_4_4_2.json").read_text(encoding="utf-8")
)
KINDS = {
    "ideal": Diode(),
    "shockley": Diode(DIODES["shockley"], 1e-12, 1.0),
    "piecewise": Diode(DIODES["piecewise"], v_on=0.15, r_on=1.0, r_off=1e20),
}


def network(sizes, diode, gain=1.0, back=None, seed=0, rail=0.1):
    rng = np.random.default_rng(seed)
    pairs = list(pairwise(sizes))
    g = [np.exp(rng.uniform(np.log(1e-6), np.log(1e-4), pair)) for pair in pairs]
    bias = [rng.normal(0.0, 1e-5, n) for n in sizes[1:]]
    low, high = ([sign * rail] * (len(g) - 1) + [None] for sign in (-1, 1))
    return ResistiveNetwork.build(
        g, bias=bias, low=low, high=high, diode=diode, gain=gain, back_gain=back
    )


def golden_network():
    given = GOLDEN["inputs"]
    low = [-np.inf if v is None else v for v in given["hidden_lower"]]
    high = [np.inf if v is None else v for v in given["hidden_upper"]]
    net = ResistiveNetwork.build(
        [np.array(given["G1"]), np.array(given["G2"])],
        bias=[given["b_h"], given["b_o"]],
        low=[low, None],
        high=[high, None],
    )
    return net, np.array([given["v_in"]]), np.array([given["target"]], np.float64)


def nudged(net, x, target, beta, start=None):
    return settle(net, Phase(x, beta, target), start)


@pytest.mark.parametrize("beta", [0.0, 0.1, -0.1, 0.01, -0.01])
def test_the_golden_network_settles_where_it_should(beta):
    net, x, target = golden_network()
    found = nudged(net, x, target, beta)
    expected = GOLDEN["nudged_states"][f"beta={beta:g}"] if beta else GOLDEN["free_state"]
    np.testing.assert_allclose(found.voltages[0][0], expected["h"], atol=1e-11)
    np.testing.assert_allclose(found.voltages[1][0], expected["o"], atol=1e-11)
    assert found.converged.all()
    assert found.message == ""


def test_a_nudge_is_stable_to_the_published_bound_and_refused_beyond():
    net, x, target = golden_network()
    bound = min(GOLDEN["stability"]["active_set_2_3_schur_eigenvalues"])
    free = nudged(net, x, target, 0.0)
    below = nudged(net, x, target, -0.999 * bound, free.voltages)
    assert below.converged.all()
    assert below.residual < 1e-12
    for beta in (-1.001 * bound, -1.0, -2.0):
        beyond = nudged(net, x, target, beta, free.voltages)
        assert not beyond.converged.any()
        assert "Nudge with a smaller negative conductance" in beyond.message
        assert f"{beta:g} S" in beyond.message


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("sizes", "gain", "back"),
    [
        ((5, 3), 1.0, None),
        ((16, 16, 4), 1.0, None),
        ((8, 6, 7, 5, 4), 4.0, 0.25),
        ((8, 6, 7, 4), 2.0, 2.0),
        ((8, 60, 50, 4), (3.0, 1.5), (0.5, 1.0)),
    ],
)
def test_kirchhoff_holds_to_rounding_in_free_and_nudged_states(kind, sizes, gain, back):
    net = network(sizes, KINDS[kind], gain, back)
    rng = np.random.default_rng(1)
    x, target = rng.uniform(-0.4, 1.2, (7, sizes[0])), rng.normal(0, 0.1, (7, sizes[-1]))
    for phase in (
        Phase(x),
        Phase(x, 1e-5, target),
        Phase(x, -1e-7, target),
        Phase(x, current=1e-5 * target),
    ):
        found = settle(net, phase)
        assert found.converged.all()
        # the largest current into a node, against which rounding is measured
        scale = max(float(np.abs(x).max() * g.sum(axis=0).max()) for g in net.g) * 16.0
        assert found.residual < 1e-14 * scale / 1e-2
        free = [
            np.where((v < high) & (v > low), f, 0.0) if kind == "ideal" else f
            for f, v, low, high in zip(
                node_currents(net, phase, found.voltages),
                found.voltages,
                net.low,
                net.high,
                strict=True,
            )
        ]
        assert max(np.abs(f).max() for f in free) == found.residual


@pytest.mark.parametrize("kind", KINDS)
def test_the_start_does_not_matter(kind):
    net = network((8, 6, 7, 4), KINDS[kind], 4.0)
    rng = np.random.default_rng(2)
    phase = Phase(rng.uniform(-0.4, 1.2, (5, 8)))
    cold = settle(net, phase)
    wild = settle(net, phase, [rng.normal(0.0, 30.0, v.shape) for v in cold.voltages])
    careful = settle(net, phase, bold=0, iterations=500)
    warm = settle(net, phase, cold.voltages)
    for other in (wild, careful, warm):
        assert other.converged.all()
        for a, b in zip(cold.voltages, other.voltages, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-13)
    assert warm.iterations == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_sample_does_not_depend_on_its_batch(kind):
    net = network((20, 9, 5), KINDS[kind])
    x = np.random.default_rng(3).uniform(-0.4, 1.2, (6, 20))
    x[:, ::3] = 0.0
    together = settle(net, Phase(x))
    for b in range(6):
        alone = settle(net, Phase(x[b : b + 1]))
        for a, v in zip(together.voltages, alone.voltages, strict=True):
            assert a[b].tobytes() == v[0].tobytes()


def test_overdriven_and_weakly_held_nodes_converge():
    rng = np.random.default_rng(4)
    for trial in range(40):
        sizes = rng.integers(1, 9, rng.integers(2, 5))
        pairs = list(pairwise(sizes))
        g = [np.exp(rng.uniform(np.log(1e-9), np.log(1e-4), pair)) for pair in pairs]
        for each in g:
            each[rng.random(each.shape) < 0.3] = 0.0
        net = ResistiveNetwork.build(
            g,
            low=[-0.2] * len(g),
            high=[0.5] * len(g),
            diode=list(KINDS.values())[trial % 3],
            gain=float(rng.choice([1.0, 4.0, 10.0])),
        )
        found = settle(net, Phase(rng.normal(0.0, 10.0 ** rng.uniform(-2, 3), (2, sizes[0]))))
        assert found.converged.all(), (trial, found.message)


def test_too_few_iterations_are_reported_per_sample():
    net = network((8, 6, 4), KINDS["shockley"])
    x = np.random.default_rng(5).uniform(0.5, 1.2, (2, 8))
    x[1] = 0.0
    done = settle(net, Phase(x))
    start = [np.where([[True], [False]], 0.0, v) for v in done.voltages]
    found = settle(net, Phase(x), start, iterations=1)
    assert found.converged.tolist() == [False, True]
    assert found.message.startswith("1 of 2 samples (first: 0) did not settle in 1 Newton")


def test_a_driven_node_that_nothing_holds_is_reported():
    net = ResistiveNetwork.build([np.zeros((2, 1))], bias=[1e-6])
    found = settle(net, Phase(np.ones((1, 2))))
    assert not found.converged.any()
    assert "has a conductance to something" in found.message


def test_a_loose_node_without_current_stays_at_zero():
    g = np.array([[1e-6, 0.0], [2e-6, 0.0]])
    found = settle(ResistiveNetwork.build([g]), Phase(np.array([[1.0, 4.0]])))
    assert found.converged.all()
    np.testing.assert_allclose(found.voltages[0], [[3.0, 0.0]], atol=1e-15)


def test_wrong_shapes_are_refused():
    net = network((8, 6, 4), KINDS["ideal"])
    x = np.zeros((2, 8))
    with pytest.raises(ConfigError, match="inputs has 7 columns; the network has 8"):
        settle(net, Phase(x[:, :7]))
    with pytest.raises(ConfigError, match="target has 3 columns"):
        settle(net, Phase(x, 1e-6, np.zeros((2, 3))))
    with pytest.raises(ConfigError, match="start: voltages have shapes"):
        settle(net, Phase(x), [np.zeros((2, 6))])


def test_the_simulator_finds_the_kernels_by_the_kind_of_network():
    net = network((8, 6, 4), KINDS["shockley"])
    phase = Phase(np.full((1, 8), 0.7))
    found, direct = NumbaSimulator().settle(net, phase), settle(net, phase)
    for a, b in zip(found.voltages, direct.voltages, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not NumbaSimulator(iterations=1).settle(net, phase).converged.any()
    with pytest.raises(ConfigError, match="no kernels for a dict; there are some for"):
        NumbaSimulator().settle({}, phase)


@pytest.mark.spice
def test_ngspice_finds_the_same_operating_point(ngspice, tmp_path):
    net = network((16, 12, 4), Diode(DIODES["shockley"], 2.52e-9, 1.752), 4.0)
    x = np.random.default_rng(6).uniform(-0.4, 1.2, 16)
    lines = ["* network", ".model d d(is=2.52e-09 n=1.752)", "vl low 0 -0.1", "vh high 0 0.1"]
    lines += [f"vx{i} x{i} 0 {v!r}" for i, v in enumerate(x.tolist())]
    names = ("x", "h", "a", "o")
    for layer, (pre, post) in enumerate((names[:2], names[2:])):
        for (i, j), g in np.ndenumerate(net.g[layer]):
            lines.append(f"r{layer}_{i}_{j} {pre}{i} {post}{j} {(1 / g).item()!r}")
        for j, current in enumerate(net.bias[layer].tolist()):
            lines.append(f"i{layer}_{j} 0 {post}{j} {current!r}")
    for j in range(12):
        lines += [f"du{j} h{j} high d", f"dl{j} low h{j} d"]
        lines += [f"e{j} y{j} 0 h{j} 0 4", f"vs{j} y{j} a{j} 0", f"f{j} h{j} 0 vs{j} 0.25"]
    nodes = [f"h{j}" for j in range(12)] + [f"o{j}" for j in range(4)]
    lines += [".options temp=27 tnom=27 gmin=1e-12 reltol=1e-12 vntol=1e-15 abstol=1e-18 itl1=500"]
    lines += [".control", "op", "set numdgt=16"]
    lines += [f"print v({name})" for name in nodes] + ["quit", ".endc", ".end"]
    deck = tmp_path / "deck.cir"
    deck.write_text("\n".join(lines) + "\n", encoding="utf-8")
    run = subprocess.run(
        [ngspice, "-b", "-n", str(deck)], capture_output=True, text=True, timeout=60, check=False
    )
    printed = dict(line.split(" = ") for line in run.stdout.splitlines() if line.startswith("v("))
    theirs = [float(printed[f"v({name})"]) for name in nodes]
    found = settle(net, Phase(x[None, :]))
    np.testing.assert_allclose(np.concatenate(found.voltages, axis=1)[0], theirs, atol=1e-12)
