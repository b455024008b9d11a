"""Powers of reads with wires: Tellegen's theorem, quadratic forms, limits."""

import numpy as np
import pytest

from ohmlearn.crossbar.wires import Wires, power, solve_array
from ohmlearn.crossbar.wires.power import drive_power, power_forms
from ohmlearn.errors import ConfigError

KINDS = [
    Wires(2.0, 3.0, 50.0, 20.0),
    Wires(0.0, 3.0, 0.0, 20.0),
    Wires(2.0, 0.0, 50.0, 0.0),
    Wires(0.0, 0.0, 30.0, 20.0),
    Wires(200.0, 300.0),
]


def cells(shape=(9, 7)):
    g = np.random.default_rng(0).uniform(5e-6, 1e-4, shape)
    g[2, 3] = 0.0
    return g


def drives(batch, lines, seed=1):
    return np.random.default_rng(seed).uniform(-0.2, 0.2, (batch, lines))


def heat(g, wires, v, u):
    """Return I^2 R of every resistance one by one, from the voltages of the nodes [W]."""
    one, total = solve_array(g, wires, v, u), 0.0
    w, b = one.word_voltage, one.bit_voltage
    for i in range(g.shape[0]):
        for j in range(g.shape[1]):
            ahead = v[i] if j == 0 else w[i, j - 1]
            below = u[j] if i == g.shape[0] - 1 else b[i + 1, j]
            r_word = wires.r_word + (wires.r_driver if j == 0 else 0.0)
            r_bit = wires.r_bit + (wires.r_sense if i == g.shape[0] - 1 else 0.0)
            total += (ahead - w[i, j]) ** 2 / r_word if r_word else 0.0
            total += (b[i, j] - below) ** 2 / r_bit if r_bit else 0.0
    return total


@pytest.mark.parametrize("wires", KINDS)
def test_what_is_supplied_is_dissipated(wires):
    g, v, u = cells(), drives(3, 9), drives(3, 7, 2)
    for word, bit in ((v, None), (None, u), (v, u)):
        found = drive_power(g, wires, word, bit)
        supplied = found.word.sum(axis=1) + found.bit.sum(axis=1)
        np.testing.assert_allclose(supplied, found.cells + found.wires, rtol=1e-10)
        for k in range(3):
            ends = (np.zeros(n) if d is None else d[k] for d, n in ((word, 9), (bit, 7)))
            assert found.wires[k] == pytest.approx(heat(g, wires, *ends), rel=1e-8)


@pytest.mark.parametrize("wires", KINDS)
@pytest.mark.parametrize("forward", [True, False])
def test_forms_give_the_powers_of_any_mixture(wires, forward):
    g = cells()
    patterns = np.eye(9) if forward else np.kron(np.eye(3), [[1.0, -1.0]])
    g = g if forward else g[:, :6]
    forms = power_forms(g, wires, *((patterns, None) if forward else (None, patterns)))
    x = drives(4, len(patterns))
    ends = x @ patterns
    found = drive_power(g, wires, *((ends, None) if forward else (None, ends)))
    lines = found.word if forward else found.bit[:, ::2] + found.bit[:, 1::2]
    np.testing.assert_allclose(x * (x @ forms.supply), lines, rtol=1e-8, atol=1e-16)
    for form, value in ((forms.cells, found.cells), (forms.wires, found.wires)):
        np.testing.assert_allclose(np.sum(x * (x @ form), axis=1), value, rtol=1e-9)
    for form in forms:
        np.testing.assert_allclose(form, form.T, rtol=1e-8, atol=1e-12 * forms.supply.max())
        assert np.linalg.eigvalsh(form).min() > -1e-12 * forms.supply.max()


def test_without_wires_every_cell_takes_its_own():
    g = cells()
    found = power_forms(g, Wires(), np.eye(9))
    np.testing.assert_allclose(found.supply, np.diag(g.sum(axis=1)), rtol=1e-14, atol=1e-20)
    np.testing.assert_allclose(found.supply, found.cells, rtol=1e-14)
    assert not found.wires.any()


def test_many_drives_are_solved_in_parts(monkeypatch):
    g, v = cells(), drives(11, 9)
    whole = drive_power(g, KINDS[0], v)
    monkeypatch.setattr(power, "_ROOM", 3 * g.size)
    for a, b in zip(drive_power(g, KINDS[0], v), whole, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-20)


def test_what_does_not_fit_is_refused(monkeypatch):
    with pytest.raises(ConfigError, match="batch, lines"):
        drive_power(cells(), KINDS[0])
    with pytest.raises(ConfigError, match="batch, lines"):
        power_forms(cells(), KINDS[0], np.zeros(9))
    with pytest.raises(ConfigError, match="batch, lines"):
        drive_power(cells(), KINDS[0], drives(2, 9), drives(3, 7))
    monkeypatch.setattr(power, "_FORM_ROOM", 100)
    with pytest.raises(ConfigError, match=r"9 x 7 cells.*crossbar\.tile"):
        power_forms(cells(), KINDS[0], np.eye(9))
