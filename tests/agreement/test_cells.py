"""Cells in ngspice against the kernels: 1T1R, memristor alone, pairs, a user's transistor."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from ohmlearn.devices import contract
from ohmlearn.devices.cell.access import ACCESS, Nmos, drain_current
from ohmlearn.devices.cell.series import cell_current, memristor_voltage
from ohmlearn.devices.registry import devices, presets
from ohmlearn.errors import NetlistError
from ohmlearn.spice_netlists.ngspice import run_batch
from ohmlearn.spice_netlists.parts.cells import UserNmos, cell_1r, cell_1t1r, library, pair
from ohmlearn.spice_netlists.parts.devices import instance

EXACT = ".options temp=27 tnom=27 gmin=1e-16 reltol=1e-9 vntol=1e-12 abstol=1e-18"
TIGHT = ".options temp=27 tnom=27 reltol=1e-7 vntol=1e-9 abstol=1e-15 trtol=1 chgtol=1e-18"
CELLS = {n: d.params() for n, d in devices().items()} | {
    n: preset.params for n, (_, preset) in presets().items()
}
BIASES = np.random.default_rng(1).uniform([0.5, 0.0, 0.0, 0.0], [3.3, 1.5, 1.5, 1.0], (25, 4))


@pytest.mark.spice
@pytest.mark.parametrize("name", ["SoftBounds", "VTEAM", "HfO2-1T1R", "Yakopcic"])
def test_current_of_a_1t1r_cell(name: str, ngspice: str):
    p = CELLS[name]
    deck = ["* cells at random biases", cell_1t1r(p, ACCESS, label="cell"), EXACT]
    for k, (v_g, v_bl, v_sl, x0) in enumerate(BIASES.tolist()):
        deck += [f"vg{k} g{k} 0 {v_g!r}", f"vb{k} b{k} 0 {v_bl!r}", f"vs{k} s{k} 0 {v_sl!r}"]
        deck += [instance(str(k), (f"b{k}", f"g{k}", f"s{k}", f"x{k}"), "cell", x0=x0)]
    plot = run_batch("\n".join([*deck, ".op", ".end", ""]))[0]
    spice = [-plot[f"i(vb{k})"][0] for k in range(len(BIASES))]
    ours = [cell_current(p, ACCESS, *bias) for bias in BIASES.tolist()]
    np.testing.assert_allclose(spice, ours, rtol=1e-7, atol=1e-13)


@pytest.mark.spice
@pytest.mark.parametrize("name", ["SoftBounds", "VTEAM", "Yakopcic"])
def test_current_of_a_memristor_alone_has_the_sign_of_its_voltage(name: str, ngspice: str):
    p = CELLS[name]
    deck = ["* memristors", cell_1r(p, label="cell"), EXACT]
    for k, v in enumerate((0.2, -0.2)):
        deck += [f"v{k} b{k} 0 {v}", instance(str(k), (f"b{k}", "0", f"x{k}"), "cell", x0=0.4)]
    plot = run_batch("\n".join([*deck, ".op", ".end", ""]))[0]
    for k, v in enumerate((0.2, -0.2)):
        ours = cell_current(p, None, 0.0, max(v, 0.0), max(-v, 0.0), 0.4)
        assert -plot[f"i(v{k})"][0] == pytest.approx(ours, rel=1e-8)


def states(p, access: Nmos, v_g: float, corners, x0: float, at):
    """Return the states of a 1T1R cell under bit-line (>= 0) or source-line (< 0) voltages."""
    t, v = np.array(corners).T

    def dxdt(now, state):
        u, x = float(np.interp(now, t, v)), min(max(float(state[0]), 0.0), 1.0)
        drop = memristor_voltage(p, access, v_g, max(u, 0.0), max(-u, 0.0), x)
        r = contract.rate(p, drop, x)
        return [0.0 if (state[0] >= 1.0 and r > 0.0) or (state[0] <= 0.0 and r < 0.0) else r]

    times, found = [0.0], [x0]
    for a, b in pairwise(t):
        inside = at[(at > a) & (at < b)]
        part = solve_ivp(
            dxdt, (a, b), [found[-1]], method="LSODA", rtol=1e-9, atol=1e-12,
            t_eval=np.append(inside, b), max_step=(b - a) / 20,
        )  # fmt: skip
        times += part.t.tolist()
        found += part.y[0].tolist()
    return np.interp(at, times, found)


@pytest.mark.spice
@pytest.mark.parametrize(
    ("name", "v_g", "v_set", "v_reset", "w", "start"),
    [("VTEAM", 3.0, 1.8, 1.9, 10e-6, 0.3), ("HfO2-1T1R", 3.0, 1.2, 1.6, 100e-9, 0.1)],
)
def test_a_1t1r_cell_is_set_and_reset(name, v_g, v_set, v_reset, w, start, ngspice: str):
    p, e = CELLS[name], 0.02 * w
    corners = [(0.0, 0.0), (w, 0.0), (w + e, v_set), (2 * w, v_set), (2 * w + e, 0.0)]
    corners += [(3 * w, 0.0), (3 * w + e, -v_reset), (4 * w, -v_reset), (4 * w + e, 0.0)]
    corners += [(5 * w, 0.0)]
    up = " ".join(f"{t!r} {max(v, 0.0)!r}" for t, v in corners)
    down = " ".join(f"{t!r} {max(-v, 0.0)!r}" for t, v in corners)
    deck = [
        "* SET and RESET", cell_1t1r(p, ACCESS, label="cell"), f"vb b 0 pwl({up})",
        f"vs s 0 pwl({down})", f"vg g 0 {v_g}",
        instance("1", ("b", "g", "s", "x"), "cell", x0=start), TIGHT, ".save v(x)",
        f".tran {w / 200!r} {5 * w!r} 0 {w / 200!r}", ".end", "",
    ]  # fmt: skip
    plot = run_batch("\n".join(deck), timeout=60)["tran"]
    t, x = plot["time"], plot["v(x)"]
    ours = states(p, ACCESS, v_g, corners, start, t)
    assert np.ptp(ours) > 0.05
    assert ours[-1] < ours.max() - 0.02
    assert np.abs(x - ours).max() < 1e-3  # where RESET runs away, time is what differs
    assert abs(x[-1] - ours[-1]) < 1e-4


@pytest.mark.spice
def test_a_pair_shares_bit_line_and_gate(ngspice: str):
    p = CELLS["SoftBounds"]
    deck = [
        "* pair", cell_1t1r(p, ACCESS, label="cell"), pair(p, "cell"), "vb b 0 0.2", "vg g 0 3.3",
        "vp p 0 0.0", "vm m 0 0.0", "x1 b g p m xp xm pair x0p=0.8 x0m=0.1", EXACT, ".op", ".end",
    ]  # fmt: skip
    plot = run_batch("\n".join([*deck, ""]))[0]
    for arm, x0 in (("p", 0.8), ("m", 0.1)):
        ours = cell_current(p, ACCESS, 3.3, 0.2, 0.0, x0)
        assert plot[f"i(v{arm})"][0] == pytest.approx(ours, rel=1e-8)
        assert plot[f"v(x{arm})"][0] == pytest.approx(x0, abs=1e-9)


@pytest.mark.spice
def test_a_users_transistor_is_read_from_the_file_that_was_named(tmp_path: Path, ngspice: str):
    file = tmp_path / "fab.lib"
    own = ACCESS._replace(vto=0.3, kp=300e-6)
    card = f".model nfast nmos level=1 vto={own.vto} kp={own.kp} gamma={own.gamma}"
    file.write_text(f".lib tt\n{card} phi={own.phi} lambda={own.lam} is=1e-30\n.endl\n")
    nmos = UserNmos("nfast", file, own.w, own.l, section="tt")
    p = CELLS["SoftBounds"]
    deck = [
        "* user's", library(nmos), cell_1t1r(p, nmos, label="cell"), "vb b 0 0.2", "vg g 0 1.5",
        instance("1", ("b", "g", "0", "x"), "cell", x0=0.5), EXACT, ".op", ".end", "",
    ]  # fmt: skip
    plot = run_batch("\n".join(deck))[0]
    ours = cell_current(p, own, 1.5, 0.2, 0.0, 0.5)
    assert -plot["i(vb)"][0] == pytest.approx(ours, rel=1e-8)
    assert drain_current(own, 1.5, 0.2, 0.0) != drain_current(ACCESS, 1.5, 0.2, 0.0)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"file": Path("/nowhere/fab.lib")}, "there is no such file"),
        ({"file": Path('fab.lib"\n.control')}, "allowed in its name are letters"),
        ({"section": "tt\n.control"}, "section of the transistor"),
    ],
)
def test_a_library_that_is_none_is_refused(change, sentence, tmp_path: Path):
    file = tmp_path / "fab.lib"
    file.write_text("* empty\n")
    nmos = UserNmos("n", file, 1e-6, 1e-6)._replace(**change)
    with pytest.raises(NetlistError, match=sentence):
        library(nmos)


def test_a_models_name_is_one_word():
    nmos = UserNmos("n\n.shell rm", Path("fab.lib"), 1e-6, 1e-6)
    with pytest.raises(NetlistError, match="model of the transistor"):
        cell_1t1r(CELLS["VTEAM"], nmos)
