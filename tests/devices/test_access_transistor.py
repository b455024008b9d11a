"""The access transistor: hand formulas, symmetry, ngspice, bad parameters."""

from __future__ import annotations

import re
import subprocess
from math import sqrt
from pathlib import Path

import numpy as np
import pytest

from ohmlearn.devices.cell.access import (
    ACCESS,
    Nmos,
    access_fields,
    drain_current,
    make_access,
)
from ohmlearn.errors import DeviceError

PLAIN = Nmos(kp=100e-6, vto=0.5, gamma=0.0, phi=0.6, lam=0.0, w=2e-6, l=1e-6)
BIASES = np.random.default_rng(0).uniform([0, -0.3, -0.3], [3.3, 3, 3], (60, 3))


@pytest.mark.parametrize(
    ("v_g", "v_ds", "expected"),
    [
        (0.5, 1.0, 0.0),
        (0.3, 3.0, 0.0),
        (1.5, 0.2, 200e-6 * (1.0 * 0.2 - 0.02)),
        (1.5, 1.0, 100e-6),
        (1.5, 2.0, 100e-6),
    ],
)
def test_cutoff_triode_and_saturation(v_g, v_ds, expected):
    assert drain_current(PLAIN, v_g, v_ds, 0.0) == pytest.approx(expected, rel=1e-14)


def test_channel_length_modulation_acts_in_both_regions():
    m = PLAIN._replace(lam=0.1)
    for v_ds in (0.2, 2.0):
        long = drain_current(PLAIN, 1.5, v_ds, 0.0)
        assert drain_current(m, 1.5, v_ds, 0.0) == pytest.approx(long * (1 + 0.1 * v_ds))


@pytest.mark.parametrize("v_sb", [0.0, 1.0, 2.5])
def test_a_raised_source_raises_the_threshold(v_sb):
    m = PLAIN._replace(gamma=0.4)
    threshold = 0.5 + 0.4 * (sqrt(0.6 + v_sb) - sqrt(0.6))
    assert drain_current(m, v_sb + threshold - 1e-9, v_sb + 1.0, v_sb) == 0.0
    assert drain_current(m, v_sb + threshold + 0.5, v_sb + 1.0, v_sb) == pytest.approx(
        100e-6 * 0.25
    )


def test_a_forward_biased_body_lowers_it_along_the_tangent_and_not_without_end():
    m = PLAIN._replace(gamma=0.4)
    lower = 0.4 * 0.2 / (2 * sqrt(0.6))
    assert drain_current(m, 1.0, 2.0, 0.0, 0.2) == pytest.approx(100e-6 * (0.5 + lower) ** 2)
    far = [drain_current(m, 1.0, 9.0, 0.0, v_b) for v_b in (3.0, 5.0)]
    assert far[0] == far[1] == pytest.approx(100e-6 * (0.5 + 0.4 * sqrt(0.6)) ** 2)


def test_drain_and_source_may_be_exchanged():
    for v_g, v_d, v_s in BIASES:
        there, back = (drain_current(ACCESS, v_g, *pair) for pair in ((v_d, v_s), (v_s, v_d)))
        assert there == -back
        assert there * (v_d - v_s) >= 0.0


def test_the_current_is_continuous_where_regions_meet():
    for v_s in (-0.2, 0.0, 0.7):
        over = np.array(
            [drain_current(ACCESS, 2.0, v_s + v, v_s) for v in np.linspace(-1, 3, 40001)]
        )
        assert np.abs(np.diff(over)).max() < 1e-4 * 3 * ACCESS.kp
        assert np.all(np.diff(over) >= 0)


def test_the_default_is_a_switch_of_some_kilohm():
    assert 5e3 < 0.05 / drain_current(ACCESS, 3.3, 0.05, 0.0) < 15e3
    assert drain_current(ACCESS, 0.0, 3.3, 0.0) == 0.0


def test_parameters_by_name_and_their_description():
    m = make_access({"w": 1e-6, "vto": 0.4})
    assert (m.w, m.vto, m.kp) == (1e-6, 0.4, ACCESS.kp)
    assert make_access({"kp": 5e-5}, m).w == 1e-6
    fields = access_fields()
    assert list(fields) == list(Nmos._fields)
    assert fields["kp"].unit == "A/V^2"
    assert fields["l"].default == ACCESS.l


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ({"width": 1e-6}, r"access transistor: unknown parameter 'width'"),
        ({"vt0": 0.4}, r"did you mean 'vto'\?"),
        ({"w": 0.0}, r"w is 0 m; allowed is > 0\."),
        ({"phi": -0.1}, r"phi is -0.1 V; allowed is > 0\."),
        ({"lam": -0.1}, r"lam is -0.1 1/V; allowed is >= 0\."),
        ({"gamma": float("nan")}, r"gamma is nan; allowed is a finite number\."),
        ({"kp": "1e-4"}, r"kp is '1e-4'; allowed is a finite number\."),
        ({"kp": True}, r"kp is True; allowed is a finite number\."),
    ],
)
def test_parameters_that_are_no_transistor_are_refused(overrides, sentence):
    with pytest.raises(DeviceError, match=sentence):
        make_access(overrides)


@pytest.mark.parametrize("name", ["lam", "gamma"])
def test_zero_switches_an_effect_off(name):
    assert getattr(make_access({name: 0.0}), name) == 0.0


def deck(m: Nmos) -> str:
    lines = [
        "* one transistor for each bias",
        ".options temp=27 tnom=27 gmin=1e-20 reltol=1e-9 abstol=1e-18",
        f".model n nmos level=1 vto={m.vto!r} kp={m.kp!r} gamma={m.gamma!r} phi={m.phi!r} "
        f"lambda={m.lam!r} is=1e-30",
    ]
    for k, (v_g, v_d, v_s) in enumerate(BIASES.tolist()):
        lines += [
            f"m{k} d{k} g{k} s{k} 0 n w={m.w!r} l={m.l!r}",
            f"vg{k} g{k} 0 {v_g!r}",
            f"vd{k} d{k} 0 {v_d!r}",
            f"vs{k} s{k} 0 {v_s!r}",
        ]
    printed = [f"print i(vd{k})" for k in range(len(BIASES))]
    return "\n".join(
        [*lines, ".control", "op", "set numdgt=15", *printed, "quit", ".endc", ".end", ""]
    )


@pytest.mark.spice
@pytest.mark.parametrize("m", [ACCESS, ACCESS._replace(gamma=0.0, lam=0.1), PLAIN])
def test_ngspice_level_1_agrees(m: Nmos, tmp_path: Path, ngspice: str):
    netlist = tmp_path / "nmos.cir"
    netlist.write_text(deck(m))
    run = subprocess.run(
        [ngspice, "-b", "-n", netlist], capture_output=True, text=True, check=False, timeout=60
    )
    found = dict(re.findall(r"i\(vd(\d+)\) = (\S+)", run.stdout))
    assert len(found) == len(BIASES), run.stdout + run.stderr
    spice = np.array([-float(found[str(k)]) for k in range(len(BIASES))])
    ours = np.array([drain_current(m, *bias) for bias in BIASES.tolist()])
    np.testing.assert_allclose(spice, ours, rtol=1e-6, atol=1e-15)
    assert np.sum(np.abs(ours) > 1e-9) > 25
