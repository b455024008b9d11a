"""Clamping diodes: ngspice's constants and branches, derivatives, co-content, lone nodes."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ohmlearn.circuits.resistive.elements import clamp, clamp_content, junction, resolve
from ohmlearn.circuits.resistive.network import BOLTZMANN, CHARGE, DIODES, Diode

GOLDEN = json.loads(
    (Path(__file__).parents[1] / "golden" / "diode_constants.json").read_text(encoding="utf-8")
)
SHOCKLEY = Diode(DIODES["shockley"], 2.52e-9, 1.752)
PIECEWISE = Diode(DIODES["piecewise"], v_on=0.3, r_on=50.0, r_off=1e7)


def test_constants_are_those_of_ngspice():
    assert (GOLDEN["k"], GOLDEN["q"]) == (BOLTZMANN, CHARGE)
    assert Diode().v_t == pytest.approx(GOLDEN["Vt"], rel=1e-15)
    assert Diode().gmin == GOLDEN["gmin"]


@pytest.mark.parametrize("v", [0.7, 0.3, 0.0, -0.05, -0.13, -0.14, -1.0, -5.0])
def test_shockley_current_follows_the_branches_of_ngspice(v):
    scale = SHOCKLEY.n * GOLDEN["Vt"]
    cube = (3 * scale / (math.e * v)) ** 3 if v else 0.0
    forward = SHOCKLEY.i_s * (math.exp(v / scale) - 1)
    expected = forward if v >= -3 * scale else -SHOCKLEY.i_s * (1 + cube)
    assert junction(SHOCKLEY, v)[0] == pytest.approx(expected + 1e-12 * v, rel=1e-14, abs=1e-25)


def test_piecewise_current_is_the_larger_of_two_lines():
    for v in (-1.0, 0.0, 0.2999, 0.3, 0.31, 1.0):
        expected = max((v - 0.3) / 50.0, (v - 0.3) / 1e7)
        assert junction(PIECEWISE, v)[0] == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("diode", [SHOCKLEY, PIECEWISE])
@pytest.mark.parametrize("v", [-0.9, -0.3, -0.12, 0.0, 0.21, 0.37, 0.8])
def test_slope_and_co_content_are_derivative_and_integral_of_the_current(diode, v):
    low, high, h = -0.2, 0.3, 1e-6
    (before, _), (after, _) = (clamp(diode, low, high, v + s) for s in (-h, h))
    current, slope = clamp(diode, low, high, v)
    assert slope == pytest.approx((after - before) / (2 * h), rel=1e-5, abs=1e-14)
    content = [clamp_content(diode, low, high, v + s) for s in (-h, h)]
    assert current == pytest.approx((content[1] - content[0]) / (2 * h), rel=1e-5, abs=1e-12)


def test_current_slope_and_co_content_are_continuous_at_the_knee():
    knee = -3 * SHOCKLEY.n * SHOCKLEY.v_t
    for values in zip(
        (*junction(SHOCKLEY, knee - 1e-12), clamp_content(SHOCKLEY, -np.inf, 0.0, knee - 1e-12)),
        (*junction(SHOCKLEY, knee + 1e-12), clamp_content(SHOCKLEY, -np.inf, 0.0, knee + 1e-12)),
        strict=True,
    ):
        assert values[0] == pytest.approx(values[1], rel=1e-8)


def test_a_node_without_rails_has_no_diodes_and_no_gmin():
    assert clamp(SHOCKLEY, -np.inf, np.inf, 3.0) == (0.0, 0.0)


@settings(max_examples=300, deadline=None)
@given(
    log_g=st.floats(-11, -3),
    drive=st.floats(-1e3, 1e3),
    low=st.one_of(st.just(-math.inf), st.floats(-5, 0)),
    high=st.one_of(st.just(math.inf), st.floats(0, 5)),
    log_is=st.floats(-15, -6),
    shockley=st.booleans(),
)
def test_a_lone_node_draws_what_is_driven_into_it(log_g, drive, low, high, log_is, shockley):
    g = 10.0**log_g
    diode = Diode(DIODES["shockley"], 10.0**log_is) if shockley else PIECEWISE
    v = resolve(diode, low, high, g, g * drive, 0.0)
    i, slope = clamp(diode, low, high, v)
    assert abs(g * v + i - g * drive) <= 1e-6 * (g + slope) * (abs(v) + 1.0)


def test_a_node_that_only_diodes_hold_rests_between_them():
    assert resolve(SHOCKLEY, -0.1, 0.1, 0.0, 0.0, 7.0) == pytest.approx(0.0, abs=1e-9)
    v = resolve(SHOCKLEY, -np.inf, 0.1, 0.0, 1e-3, 0.0)
    assert clamp(SHOCKLEY, -np.inf, 0.1, v)[0] == pytest.approx(1e-3, rel=1e-6)


def test_a_node_that_nothing_holds_stays():
    assert resolve(SHOCKLEY, -1.0, 1.0, -1e-6, 1e-6, 0.25) == 0.25
    assert resolve(PIECEWISE, -1.0, 1.0, 0.0, 1e-6, 0.25) == 0.25
