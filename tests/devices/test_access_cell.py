"""The 1T1R cell: Kirchhoff's law, passivity, monotone in gate and state, compiled = plain."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ohmlearn.devices import conductance, current, devices, get_device
from ohmlearn.devices.cell.access import ACCESS, drain_current, make_access
from ohmlearn.devices.cell.dispatch import cell_conductance, cell_current, memristor_voltage
from ohmlearn.jit import kernel

every_device = pytest.mark.parametrize("device", devices().values(), ids=lambda d: d.name)
BIASES = np.random.default_rng(1).uniform([0.3, 0, 0, 0], [3.5, 2.5, 2.5, 1], (300, 4)).tolist()
SOFT = get_device("SoftBounds").params()


def node_voltage(p: Any, m: Any, v_g: float, v_bl: float, v_sl: float, x: float) -> float:
    v = memristor_voltage(p, m, v_g, v_bl, v_sl, x)
    return v_bl - v if p.v_set > 0 else v_bl + v


@every_device
def test_memristor_and_transistor_carry_one_current(device):
    p, carried = device.params(), 0
    for v_g, v_bl, v_sl, x in BIASES:
        i = cell_current(p, ACCESS, v_g, v_bl, v_sl, x)
        node = node_voltage(p, ACCESS, v_g, v_bl, v_sl, x)
        assert drain_current(ACCESS, v_g, node, v_sl) == pytest.approx(i, rel=1e-12)
        carried += i != 0.0
    assert carried > 150


@every_device
def test_a_cell_dissipates_and_the_node_lies_between_the_lines(device):
    p = device.params()
    for v_g, v_bl, v_sl, x in BIASES:
        assert cell_current(p, ACCESS, v_g, v_bl, v_sl, x) * (v_bl - v_sl) >= 0.0
        node = node_voltage(p, ACCESS, v_g, v_bl, v_sl, x)
        assert min(v_bl, v_sl) - 1e-15 <= node <= max(v_bl, v_sl) + 1e-15


@every_device
@pytest.mark.parametrize("lines", [(1.5, 0.0), (0.0, 1.5), (0.2, 0.0)])
def test_current_grows_with_the_gate_and_with_the_state(device, lines):
    p = device.params()
    gates, states = np.linspace(0.3, 4.0, 60), np.linspace(0.0, 1.0, 41)
    i = np.array(
        [[abs(cell_current(p, ACCESS, g, *lines, x)) for x in states] for g in gates.tolist()]
    )
    assert np.all(np.diff(i, axis=0) >= -1e-13 * i[1:])
    assert np.all(np.diff(i, axis=1) >= -1e-13 * i[:, 1:])
    assert np.all(i[0] == 0.0)  # the gate is off
    assert np.all(i[-1] > 0.0)
    alone = np.array([abs(current(p, lines[0] - lines[1], x)) for x in states])
    assert np.all(
        i[-1] < np.maximum(alone, [abs(current(p, lines[1] - lines[0], x)) for x in states])
    )


@every_device
def test_no_voltage_no_current(device):
    p = device.params()
    for v in (0.0, 1.3):
        assert cell_current(p, ACCESS, 3.3, v, v, 0.5) == 0.0
        assert memristor_voltage(p, ACCESS, 3.3, v, v, 0.5) == 0.0


@every_device
def test_a_positive_bit_line_is_a_set(device):
    p = device.params()
    assert memristor_voltage(p, ACCESS, 3.3, 1.5, 0.0, 0.5) * p.v_set > 0
    assert memristor_voltage(p, ACCESS, 3.3, 0.0, 1.5, 0.5) * p.v_reset > 0


@every_device
def test_without_a_transistor_the_memristor_takes_all(device):
    p = device.params()
    sign = 1.0 if p.v_set > 0 else -1.0
    assert memristor_voltage(p, None, 0.0, 1.2, 0.0, 0.5) == sign * 1.2
    assert memristor_voltage(p, None, 0.0, 0.2, 1.2, 0.5) == -sign * 1.0
    assert cell_current(p, None, 0.0, 1.2, 0.0, 0.5) == sign * current(p, sign * 1.2, 0.5)
    assert cell_conductance(p, None, 0.0, 0.2, 0.5) == conductance(p, 0.2, 0.5)


def test_a_fully_on_gate_adds_its_resistance_and_a_wide_one_nothing():
    r_on = 1e-3 / drain_current(ACCESS, 3.3, 1e-3, 0.0)
    for x in (0.0, 0.3, 1.0):
        g = conductance(SOFT, 1e-3, x)
        seen = cell_conductance(SOFT, ACCESS, 3.3, 1e-3, x)
        assert seen == pytest.approx(1 / (1 / g + r_on), rel=1e-3)
        wide = make_access({"w": 1.0})
        assert cell_conductance(SOFT, wide, 3.3, 0.2, x) == pytest.approx(g, rel=1e-5)


def test_the_gate_caps_a_set_and_starves_a_reset():
    """Forward the current saturates; in reverse the transistor follows its gate."""
    strong = SOFT._replace(g_max=1.0)
    cap = drain_current(ACCESS, 1.5, 2.5, 0.0)
    assert cell_current(strong, ACCESS, 1.5, 2.5, 0.0, 1.0) == pytest.approx(cap, rel=1e-3)
    weak = SOFT._replace(g_min=1e-12)
    for v_sl in (2.0, 3.0):
        v = -memristor_voltage(weak, ACCESS, 1.7, 0.0, v_sl, 0.0)
        root = np.sqrt(ACCESS.phi + v) - np.sqrt(ACCESS.phi)
        assert v == pytest.approx(1.7 - ACCESS.vto - ACCESS.gamma * root, abs=1e-3)


@kernel
def sweep(p, m, biases, i, v, g):
    for k in range(i.size):
        v_g, v_bl, v_sl, x = biases[k, 0], biases[k, 1], biases[k, 2], biases[k, 3]
        i[k] = cell_current(p, m, v_g, v_bl, v_sl, x)
        v[k] = memristor_voltage(p, m, v_g, v_bl, v_sl, x)
        g[k] = cell_conductance(p, m, v_g, 0.2, x)


@pytest.mark.parametrize("name", ["SoftBounds", "VTEAM"])
@pytest.mark.parametrize("m", [ACCESS, None], ids=["transistor", "none"])
def test_compiled_equals_plain(name, m):
    p = get_device(name).params()
    out = np.empty((3, len(BIASES)))
    sweep(p, m, np.array(BIASES), *out)
    plain = [
        (
            cell_current(p, m, *bias),
            memristor_voltage(p, m, *bias),
            cell_conductance(p, m, bias[0], 0.2, bias[3]),
        )
        for bias in BIASES
    ]
    np.testing.assert_allclose(out.T, plain, rtol=1e-12, atol=1e-24)


@pytest.mark.spice
def test_ngspice_agrees_on_the_cell(tmp_path: Path, ngspice: str):
    m = ACCESS
    lines = [
        "* 1T1R cells with a linear memristor",
        ".options temp=27 tnom=27 gmin=1e-20 reltol=1e-9 abstol=1e-18 vntol=1e-12",
        f".model n nmos level=1 vto={m.vto!r} kp={m.kp!r} gamma={m.gamma!r} phi={m.phi!r} "
        f"lambda={m.lam!r} is=1e-30",
    ]
    for k, (v_g, v_bl, v_sl, x) in enumerate(BIASES[:60]):
        lines += [
            f"m{k} n{k} g{k} s{k} 0 n w={m.w!r} l={m.l!r}",
            f"r{k} b{k} n{k} {1 / conductance(SOFT, 1.0, x)!r}",
            f"vg{k} g{k} 0 {v_g!r}",
            f"vb{k} b{k} 0 {v_bl!r}",
            f"vs{k} s{k} 0 {v_sl!r}",
        ]
    printed = [f"print i(vb{k})" for k in range(60)]
    netlist = tmp_path / "cell.cir"
    netlist.write_text(
        "\n".join([*lines, ".control", "op", "set numdgt=15", *printed, "quit", ".endc", ".end"])
    )
    run = subprocess.run(
        [ngspice, "-b", "-n", netlist], capture_output=True, text=True, check=False, timeout=60
    )
    found = dict(re.findall(r"i\(vb(\d+)\) = (\S+)", run.stdout))
    assert len(found) == 60, run.stdout + run.stderr
    ours = [cell_current(SOFT, m, *bias) for bias in BIASES[:60]]
    spice = [-float(found[str(k)]) for k in range(60)]
    np.testing.assert_allclose(spice, ours, rtol=1e-6, atol=1e-13)
