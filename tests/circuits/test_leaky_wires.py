"""The leaky network on tiles with wires: the maps of both reads, energies, limits."""

from dataclasses import replace

import numpy as np
import pytest

from leaky_circuits import TAU, V_REF, make_network, unequal_leaks
from ohmlearn.circuits.leaky.energy import lyapunov
from ohmlearn.circuits.leaky.settling import settle
from ohmlearn.circuits.leaky.signals import send, signals_of
from ohmlearn.circuits.leaky.tiles import Tiling
from ohmlearn.circuits.leaky.transient import transient
from ohmlearn.circuits.simulator import Phase
from ohmlearn.crossbar.wires import Wires, solve_array
from ohmlearn.errors import ConfigError

WIRES = Wires(10.0, 8.0, 30.0, 20.0)


def network(*, symmetric=True, wires: Wires | None = WIRES, paired=True, sizes=(9, 7, 5)):
    rng = np.random.default_rng(3)

    def arms(shape, _):
        return rng.uniform(5e-6, 1e-4, shape), rng.uniform(5e-6, 1e-4, shape)

    tiling = None if wires is None else Tiling(wires, 4, 3, paired)
    return make_network(arms, sizes, unequal_leaks(sizes), symmetric=symmetric, tiling=tiling)


def phases(net, batch=2, free=20 * TAU, nudged=10 * TAU):
    rng = np.random.default_rng(4)
    x = V_REF * rng.random((batch, net.sizes[0]))
    y = V_REF * np.eye(net.sizes[-1])[:batch]
    return [Phase(x, duration=free), Phase(x, 0.5 * net.leak[-1], y, duration=nudged)]


def tiles(net, plus, minus):
    """Yield rows, columns and interleaved cells of tiles of 4 x 3 weights."""
    for top in range(0, plus.shape[0], 4):
        for left in range(0, plus.shape[1], 3):
            rows, columns = slice(top, top + 4), slice(left, left + 3)
            pair = np.stack([plus[rows, columns], minus[rows, columns]], axis=2)
            yield rows, columns, pair.reshape(len(pair), -1)


def test_both_reads_see_what_the_nodal_solution_of_every_tile_says():
    net = network()
    rng = np.random.default_rng(5)
    for layer in (0, 1):
        signed = net.edges.plus[layer] - net.edges.minus[layer]
        v, u = rng.normal(size=signed.shape[0]), rng.normal(size=signed.shape[1])
        ahead, behind = np.zeros(u.size), np.zeros(v.size)
        for rows, columns, g in tiles(net, net.plus[layer], net.minus[layer]):
            out = solve_array(g, WIRES, v[rows]).output
            ahead[columns] += out[::2] - out[1::2]
            ends = np.stack([u[columns], -u[columns]], axis=1).ravel()
            behind[rows] -= solve_array(g, WIRES, None, ends).supply
        np.testing.assert_allclose(v @ signed, ahead, rtol=0, atol=1e-11 * np.abs(ahead).max())
        np.testing.assert_allclose(signed @ u, behind, rtol=0, atol=1e-11 * np.abs(behind).max())


@pytest.mark.parametrize("paired", [True, False])
def test_wires_act_and_less_the_less_they_resist(paired):
    ideal = network(wires=None)
    phase = phases(ideal)[1]
    at_rest = np.concatenate(settle(ideal, phase).voltages, axis=1)

    def moved(ohms):
        net = network(wires=Wires(ohms, ohms, ohms, ohms), paired=paired)
        return np.abs(np.concatenate(settle(net, phase).voltages, axis=1) - at_rest).max()

    assert moved(10.0) > 1e-4
    assert moved(1e-2) == pytest.approx(1e-3 * moved(10.0), rel=0.05)


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("paired", [True, False])
def test_every_joule_is_accounted_for_with_wires(symmetric, paired):
    net = network(symmetric=symmetric, paired=paired, sizes=(9, 7, 6, 5))
    e = transient(net, phases(net)).energy
    supplied = e["supplied inputs"] + e["supplied bias"] + e["supplied neurons"]
    heat = e["dissipated forward"] + e["dissipated backward"] + e["dissipated wires"]
    np.testing.assert_allclose(supplied, heat, rtol=1e-9)
    assert (e["dissipated wires"] > 0.003 * supplied).all()
    into = e["supplied sense"] + e["supplied currents"] + e["supplied targets"]
    out = e["dissipated leaks"] + e["dissipated nudge"] + e["stored capacitors"]
    np.testing.assert_allclose(into, out, rtol=1e-6)


def test_at_rest_powers_are_those_of_the_nodal_solutions():
    net = network()
    phase = phases(net, batch=1)[1]
    state = settle(net, phase)
    e = transient(net, [phase], state.voltages).energy
    flat = np.concatenate(state.voltages, axis=1) / V_REF
    sent = V_REF * np.split(send(signals_of(net), flat)[0], [7])[0], V_REF
    lines = [np.append(phase.inputs[0], V_REF), np.append(*sent)]
    found = dict.fromkeys(("inputs", "bias", "neurons", "forward", "backward", "supply back"), 0.0)
    for layer, v in enumerate(lines):
        for rows, _, g in tiles(net, net.plus[layer], net.minus[layer]):
            one = solve_array(g, WIRES, v[rows])
            power = np.zeros(len(v))
            power[rows] = v[rows] * one.supply
            found["bias"] += power[-1]
            found["neurons" if layer else "inputs"] += power[:-1].sum()
            drop = one.word_voltage - one.bit_voltage
            found["forward"] += float((drop * one.device_current).sum())
    u = V_REF * send(signals_of(net), flat)[0, 7:]
    for _, columns, g in tiles(net, net.plus[1], net.minus[1]):
        ends = np.stack([u[columns], -u[columns]], axis=1).ravel()
        one = solve_array(g, WIRES, None, ends)
        found["neurons"] -= float(ends @ one.output)
        drop = one.word_voltage - one.bit_voltage
        found["backward"] += float((drop * one.device_current).sum())
    for name in ("supplied inputs", "supplied bias", "supplied neurons", "dissipated forward",
                 "dissipated backward"):  # fmt: skip
        expected = found[name.partition(" ")[2]] * phase.duration
        assert e[name][0, 0] == pytest.approx(expected, rel=1e-8), name


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("paired", [True, False])
def test_energies_without_resistance_are_those_of_ideal_lines(symmetric, paired):
    net = network(symmetric=symmetric, paired=paired, wires=Wires(1e-6, 1e-6))
    both = phases(net)
    ours, ideal = transient(net, both).energy, transient(replace(net, tiling=None), both).energy
    for name in ideal:
        if symmetric and name in ("supplied neurons", "dissipated backward"):
            # Read backward, the word line of the biases of a shared tile is at ground.
            assert (ours[name] >= ideal[name]).all()
            continue
        np.testing.assert_allclose(ours[name], ideal[name], rtol=1e-6, atol=1e-18, err_msg=name)


def test_the_lyapunov_function_falls_with_wires_too():
    net = network()
    phase = phases(net, free=60 * TAU)[0]
    path = transient(net, [phase], points=60)
    f = np.array([lyapunov(net, [v[k] for v in path.voltages], phase) for k in range(61)])
    assert (np.diff(f, axis=0) < 1e-7).all()
    assert (f[0] - f[-1] > 1e-3).all()


def test_what_cannot_be_a_tile_is_refused():
    with pytest.raises(ConfigError, match="tiles of 0 x 3"):
        Tiling(WIRES, 0, 3)
    net = network()
    net.plus[1][2, 2] = -1e-6
    with pytest.raises(ConfigError, match="conductance of cell"):
        settle(net, phases(net)[0])
