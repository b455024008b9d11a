"""Write-verify: it converges, or says which cells did not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ohmlearn.crossbar.array import ENCODINGS, Crossbar
from ohmlearn.crossbar.reading import read_cells
from ohmlearn.crossbar.writing.verify import WriteVerify, write_verify
from ohmlearn.devices import (
    Effects,
    conductance,
    depression,
    devices,
    get_device,
    merge,
    potentiation,
)
from ohmlearn.errors import ConfigError

SOFT = get_device("SoftBounds")
TOLERANCE = 0.5e-6
every_encoding = pytest.mark.parametrize("encoding", list(ENCODINGS))


def build(shape=(8, 7), device=SOFT, encoding="pair", seed=5, **effects: Any) -> Crossbar:
    return Crossbar.build(
        *shape, device, device.params(), merge(Effects(), effects), encoding=encoding, seed=seed
    )


def asked(xbar: Crossbar) -> tuple[np.ndarray, np.ndarray]:
    weights = np.random.default_rng(0).uniform(-0.4, 0.4, xbar.shape)
    return weights, xbar.cell_targets(weights)


@every_encoding
def test_all_healthy_cells_arrive(encoding):
    xbar = build(encoding=encoding, cycle_to_cycle=0.3, device_to_device={"step": 0.2})
    weights, targets = asked(xbar)
    done = write_verify(xbar, targets, TOLERANCE, max_iterations=400)
    assert done.reached.all()
    assert np.abs(done.error).max() <= TOLERANCE
    assert np.abs(xbar.weights - weights).max() <= xbar.arms * TOLERANCE / xbar.unit
    assert str(done).endswith("iterations at most.")


@pytest.mark.parametrize("device", devices().values(), ids=lambda d: d.name)
def test_no_cell_leaps_for_ever_over_a_target_as_wide_as_a_pulse(device):
    """Any model, any size of steps, in bursts: what one pulse cannot leap over is reached."""
    xbar = build((4, 4), device)
    p = device.params()
    grid = np.linspace(0.0, 1.0, 2001)
    g = np.array([conductance(p, 0.2, x) for x in grid])
    up = np.array([min(x + potentiation(p, x), 1.0) for x in grid])
    down = np.array([max(x - depression(p, x), 0.0) for x in grid])
    largest = max(np.abs(np.interp(x, grid, g) - g).max() for x in (up, down))
    done = write_verify(xbar, asked(xbar)[1], 0.55 * largest, max_iterations=5000, burst=20)
    assert done.reached.all()


def test_the_counts_add_up():
    xbar = build(encoding="single")
    middle = xbar.conductance.copy()
    done = write_verify(xbar, asked(xbar)[1], TOLERANCE, max_iterations=400)
    assert done.pulses == done.iterations.sum() == xbar.pulses
    assert done.reads == done.iterations.sum() + xbar.cells  # each cell is read once more
    longest = done.iterations[..., 0].max(axis=1)
    assert longest.sum() <= done.operations <= 2 * longest.sum()
    assert done.time == pytest.approx(done.operations * 100e-9)
    moved = np.abs(xbar.conductance - middle)
    assert np.all((moved > 0) == (done.iterations > 0))


def test_cells_that_cannot_arrive_are_named():
    xbar = build((20, 20), stuck={"low": 0.03, "high": 0.02})
    targets = asked(xbar)[1]
    done = write_verify(xbar, targets, TOLERANCE, max_iterations=300)
    stuck = (xbar.bank.stuck > 0).reshape(targets.shape)
    assert stuck.any()
    np.testing.assert_array_equal(~done.reached, stuck)
    np.testing.assert_array_equal(done.missed, np.argwhere(stuck))
    assert np.all(done.iterations[stuck] == 300)
    text = str(done)
    assert (
        f"{stuck.sum()} missed (row, column, arm): {tuple(np.argwhere(stuck)[0].tolist())}" in text
    )
    assert "the worst by" in text


def test_too_few_iterations_say_so():
    xbar = build()
    done = write_verify(xbar, asked(xbar)[1], TOLERANCE, max_iterations=3)
    assert 0 < len(done.missed) < xbar.cells
    assert done.iterations.max() == 3
    np.testing.assert_array_equal(np.abs(done.error) > TOLERANCE, ~done.reached)


def test_bursts_save_reads_and_arrive_as_well():
    one, many = build(), build()
    slow = write_verify(one, asked(one)[1], TOLERANCE, max_iterations=400)
    fast = write_verify(many, asked(many)[1], TOLERANCE, max_iterations=400, burst=50)
    assert fast.reached.all()
    assert fast.reads < slow.reads / 4


def test_nan_leaves_a_cell_alone():
    xbar = build()
    targets = asked(xbar)[1]
    targets[2:, :, 1] = np.nan
    before = xbar.conductance.copy()
    done = write_verify(xbar, targets, TOLERANCE, max_iterations=400)
    alone = np.isnan(targets)
    np.testing.assert_array_equal(xbar.conductance[alone], before[alone])
    assert done.reached.all()
    assert not done.iterations[alone].any()
    assert not done.error[alone].any()
    nothing = write_verify(xbar, np.full_like(targets, np.nan), TOLERANCE)
    assert (nothing.pulses, nothing.reads, nothing.operations) == (0, 0, 0)


def test_read_noise_is_noise_of_the_verdict_and_write_noise_of_the_result():
    xbar = build((30, 30), read_noise=0.02)
    done = write_verify(xbar, asked(xbar)[1], TOLERANCE, max_iterations=400)
    assert done.reached.all()
    assert np.abs(done.error).max() > TOLERANCE
    xbar = build((30, 30), write_noise=2.0)
    done = write_verify(xbar, asked(xbar)[1], TOLERANCE, max_iterations=400)
    assert done.reached.all()
    assert np.abs(done.error).max() <= TOLERANCE


def test_a_read_of_the_cells_has_its_noise():
    xbar = build((60, 60), read_noise=0.02)
    relative = read_cells(xbar) / xbar.conductance - 1
    assert relative.std() == pytest.approx(0.02, rel=5 / (2 * relative.size) ** 0.5)
    assert abs(relative.mean()) < 5 * 0.02 / relative.size**0.5
    assert not np.array_equal(read_cells(xbar), read_cells(xbar))
    quiet = build()
    np.testing.assert_array_equal(read_cells(quiet), quiet.conductance)


def outcome(seed: int) -> WriteVerify:
    xbar = build(seed=seed, cycle_to_cycle=0.5, read_noise=0.01, write_noise=1.0)
    return write_verify(xbar, asked(xbar)[1], TOLERANCE, max_iterations=100, burst=5)


def test_the_seed_decides_everything():
    one, again, other = outcome(5), outcome(5), outcome(6)
    for name, value in one._asdict().items():
        np.testing.assert_array_equal(getattr(again, name), value)
    assert not np.array_equal(one.error, other.error)


def arguments(**changes: Any) -> dict[str, Any]:
    return {"targets": np.full((8, 7, 2), 5e-5), "tolerance": 1e-6} | changes


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"targets": np.full((8, 7), 5e-5)}, r"targets of shape \(8, 7\).*shape \(8, 7, 2\)"),
        ({"targets": np.full((8, 7, 2), -5e-5)}, r"allowed: finite conductances > 0 S"),
        ({"targets": np.full((8, 7, 2), np.inf)}, r"allowed: finite conductances > 0 S"),
        ({"targets": np.full((8, 7, 2), "a")}, r"type <U1"),
        ({"tolerance": 0.0}, r"tolerance is 0\.0 S; allowed is finite, > 0"),
        ({"tolerance": float("nan")}, r"tolerance is nan S"),
        ({"max_iterations": 0}, r"max_iterations is 0; allowed is a whole number >= 1"),
        ({"burst": 1.5}, r"burst is 1\.5; allowed is a whole number >= 1"),
        ({"burst": True}, r"burst is True"),
    ],
)
def test_bad_requests_are_refused(changes, sentence):
    xbar = build()
    with pytest.raises(ConfigError, match=sentence):
        write_verify(xbar, **arguments(**changes))
    assert (xbar.operations, xbar.pulses) == (0, 0)
