"""Compiled device functions: equal to pure Python, in the precision of the table, and cached."""

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from numba.core.errors import TypingError

from ohmlearn.devices import contract, devices, functions, presets
from ohmlearn.devices.dispatch import (
    cell,
    conductance,
    conductance_array,
    current,
    depression,
    potentiation,
    rate,
    state_for_conductance,
)
from ohmlearn.jit import kernel

STATES = np.linspace(0.0, 1.0, 101)
CASES = {
    **{f"{name} defaults": d.params() for name, d in devices().items()},
    **{name: preset.params for name, (_, preset) in presets().items()},
}
every_cell = pytest.mark.parametrize("p", CASES.values(), ids=CASES)


@kernel
def evaluate(like, table, v, x, out):
    for c in range(x.size):
        p = cell(like, table, c)
        out[c, 0] = current(p, v, x[c])
        out[c, 1] = conductance(p, v, x[c])
        out[c, 2] = rate(p, v, x[c])
        out[c, 3] = potentiation(p, x[c])
        out[c, 4] = depression(p, x[c])


@kernel
def first_values(like, table, v, x):
    p = cell(like, table, 0)
    return (
        p,
        current(p, v, x),
        rate(p, v, x),
        potentiation(p, x),
        depression(p, x),
        functions.smooth_step(x),
        functions.softplus(x),
    )


def signatures_of(function: Any):
    return function.nopython_signatures


def table_of(p, n, dtype: type[np.floating] = np.float64):
    return np.tile(np.array(p, dtype=dtype), (n, 1))


@every_cell
def test_compiled_functions_equal_pure_python(p):
    table, out = table_of(p, STATES.size), np.empty((STATES.size, 5))
    for v in (p.v_set, p.v_reset, 0.1, -5.0, 5.0):
        evaluate(p, table, v, STATES, out)
        pure = [
            (
                contract.current(p, v, x),
                contract.conductance(p, v, x),
                contract.rate(p, v, x),
                contract.potentiation(p, x),
                contract.depression(p, x),
            )
            for x in STATES.tolist()
        ]
        np.testing.assert_allclose(out, pure, rtol=1e-12, atol=1e-16)


@every_cell
def test_a_single_precision_table_is_computed_in_single_precision(p):
    table = table_of(p, STATES.size, np.float32)
    first_values(p, table, np.float32(0.1), np.float32(0.5))
    (signature,) = (
        s
        for s in signatures_of(first_values)
        if s.args[1].dtype.bitwidth == 32 and s.args[0].instance_class is type(p)
    )
    kinds = {str(t) for t in signature.return_type.types[1:]}
    assert kinds == {"float32"}
    assert {str(t) for t in signature.return_type.types[0].types} == {"float32"}

    single, double = (np.empty((STATES.size, 5), t) for t in (np.float32, np.float64))
    evaluate(p, table, np.float32(p.v_set), STATES.astype(np.float32), single)
    evaluate(p, table_of(p, STATES.size), p.v_set, STATES, double)
    scale = np.abs(double).max(axis=0)
    np.testing.assert_allclose(single / scale, double / scale, atol=2e-5)


@every_cell
def test_compiled_functions_stay_finite_and_passive_in_single_precision(p):
    x = np.array([0.0, 1e-7, 0.5, 1.0 - 1e-7, 1.0], np.float32)
    table = table_of(p, x.size, np.float32)
    out = np.empty((x.size, 5), np.float32)
    for v in (-5.0, -2.0, -1e-3, 1e-3, 2.0, 5.0):
        evaluate(p, table, np.float32(v), x, out)
        assert np.all(np.isfinite(out))
        assert np.all(v * out[:, 0] > 0)
        assert np.all(out[:, 3:] >= 0)


def test_each_cell_reads_its_own_row():
    p = devices()["SoftBounds"].params()
    table = table_of(p, 3) * np.array([[1.0], [2.0], [3.0]])
    out = np.empty((3, 5))
    evaluate(p, table, 0.1, np.array([0.0, 0.0, 0.0]), out)
    np.testing.assert_allclose(out[:, 1], p.g_min * np.array([1.0, 2.0, 3.0]))


@every_cell
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_state_for_conductance_is_the_inverse_of_conductance(p, dtype):
    x = np.random.default_rng(1).random(200).astype(dtype)
    x[:2] = 0, 1
    table = table_of(p, x.size, dtype)
    g, found, again = np.empty_like(x), np.empty_like(x), np.empty_like(x)
    conductance_array(p, table, 0.2, x, g)
    state_for_conductance(p, table, 0.2, g, found)
    conductance_array(p, table, 0.2, found, again)
    assert g.dtype == found.dtype == dtype
    np.testing.assert_allclose(again, g, rtol=8 * np.finfo(dtype).eps)


@every_cell
def test_a_target_outside_the_window_gives_its_end(p):
    low, high = contract.conductance(p, 0.2, 0.0), contract.conductance(p, 0.2, 1.0)
    targets = np.array([0.0, 0.5 * low, 2.0 * high, np.inf])
    found = np.empty(4)
    state_for_conductance(p, table_of(p, 4), 0.2, targets, found)
    np.testing.assert_array_equal(found, [0, 0, 1, 1])


def test_functions_equal_their_definition_and_do_not_overflow():
    u = np.linspace(-30.0, 30.0, 61)
    np.testing.assert_allclose([functions.limexp(a) for a in u], np.exp(u), rtol=1e-14)
    np.testing.assert_allclose([functions.softplus(a) for a in u], np.log1p(np.exp(u)), rtol=1e-13)
    np.testing.assert_allclose(
        [functions.smooth_step(a) for a in u], 1 / (1 + np.exp(-u)), rtol=1e-13
    )
    for function in (functions.limexp, functions.softplus, functions.smooth_step):
        assert np.isfinite(function(1e5))
        assert np.isfinite(function(-1e5))


def test_a_type_without_a_device_is_refused_while_compiling():
    with pytest.raises(TypingError, match="No implementation of function"):
        _potentiation_of_a_pair((1.0, 2.0))


@kernel
def _potentiation_of_a_pair(p):
    return potentiation(p, 0.5)


def test_a_second_process_takes_the_kernels_from_the_disk(tmp_path):
    code = (
        "import numpy as np\n"
        "from ohmlearn.devices.dispatch import conductance_array as f\n"
        "from ohmlearn.devices.models.vteam import VTEAM\n"
        "p = VTEAM(); x = np.linspace(0, 1, 5)\n"
        "f(p, np.tile(np.array(p), (5, 1)), 0.1, x, np.empty(5))\n"
        "print(sum(f.stats.cache_hits.values()), sum(f.stats.cache_misses.values()))"
    )
    env = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    runs = [
        subprocess.run(
            [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
        ).stdout.split()
        for _ in range(2)
    ]
    assert runs == [["0", "1"], ["1", "0"]]
