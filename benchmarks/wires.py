"""Arrays with resistive wires: CPU time and error of this solver, SuperLU and badcrossbar.

The problem is one everybody can repeat: word lines driven from the left through one segment, one
segment between neighbouring cells on both lines, bit lines held at 0 V through one segment below
the last row; R = exp(uniform(log lo, log hi)) from default_rng(7), then V = uniform(0, 0.2).
"""

from __future__ import annotations

import argparse
import logging
import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any

for _name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[_name] = "1"

import numpy as np  # noqa: E402 - the number of threads is read at import

from ohmlearn.crossbar.wires.direct import DirectSolver  # noqa: E402
from ohmlearn.crossbar.wires.effective import effective_map, exact_change  # noqa: E402
from ohmlearn.crossbar.wires.resistances import Wires  # noqa: E402
from ohmlearn.crossbar.wires.solution import ArraySolution, lines_of  # noqa: E402
from ohmlearn.crossbar.wires.solver import ArraySolver, solve_array  # noqa: E402

DROPS = {"heavy": (1e4, 1e5), "mild": (1e5, 1e6)}
LINKS = 24  # solutions in a row that start from the one before
DIRECT = 256  # largest array for SuperLU and badcrossbar


def problem(size: int, drop: str, vectors: int) -> tuple[np.ndarray, np.ndarray]:
    """Return resistances (size, size) and voltages (size, vectors)."""
    low, high = DROPS[drop]
    rng = np.random.default_rng(7)
    r = np.exp(rng.uniform(np.log(low), np.log(high), (size, size)))
    return r, rng.uniform(0, 0.2, (size, vectors))


def timed(run: Callable[[], Any], rounds: int) -> tuple[float, Any]:
    """Return the least CPU milliseconds of some runs, and what the last one gave."""
    best, result = np.inf, None
    for _ in range(rounds):
        start = time.process_time()
        result = run()
        best = min(best, time.process_time() - start)
    return 1e3 * best, result


def badcrossbar() -> Callable[[np.ndarray, np.ndarray], np.ndarray] | None:
    """Return badcrossbar's output currents as a function, or None where it is not installed."""
    try:
        import badcrossbar  # pyright: ignore[reportMissingImports]
    except ImportError:
        return None
    logging.disable(logging.INFO)  # it configures the root logger

    def compute(r: np.ndarray, v: np.ndarray) -> np.ndarray:
        return np.asarray(badcrossbar.compute(v, r, 1.0).currents.output)

    return compute


def compare(size: int, drop: str, vectors: int, rounds: int) -> None:
    """Print one line: times, ratios, errors."""
    r, v = problem(size, drop, vectors)
    g, wires, drives = 1.0 / r, Wires(1.0, 1.0), np.ascontiguousarray(v.T)
    drives = drives[0] if vectors == 1 else drives
    ours, s = timed(lambda: solve_array(g, wires, drives), rounds)
    line = f"{size:5d} {drop:6s} {vectors:3d} {ours:9.2f}  {s.iterations:3d} {s.residual:8.1e}"
    if size <= DIRECT:
        factored, direct = timed(lambda: DirectSolver(g, lines_of(wires)), 1)
        source = g * v[:, :1]
        each, (w, b) = timed(lambda: direct.solve(-source, source), 3)
        exact = (g * (v[:, :1] + w - b)).sum(axis=0)
        error = np.abs(np.atleast_2d(s.output)[0] - exact).max() / exact.max()
        line += f"  {factored:8.1f} + {each:5.1f} {error:8.1e}"
        other = badcrossbar()
        if other is not None:
            theirs, output = timed(lambda: other(r, v), 2)
            error = np.abs(np.atleast_2d(s.output) - output).max() / np.abs(output).max()
            line += f"  {theirs:8.1f} {theirs / ours:6.0f}x {error:8.1e}"
    print(line, flush=True)


def pulsed(g: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the array after one pulse of 1/400 of the window on 1 % of the cells."""
    after = g.copy()
    at = rng.choice(g.size, g.size // 100, replace=False)
    after.ravel()[at] += rng.choice([-1.0, 1.0], at.size) * 90e-6 / 400
    return np.maximum(after, 0.0)


def warm_start(size: int, tolerance: float, rounds: int) -> None:
    """Print what solutions cost that follow an array from pulse to pulse."""
    r, v = problem(size, "heavy", 1)
    wires, drive, rng = Wires(1.0, 1.0), v[:, 0].copy(), np.random.default_rng(1)
    states = [1.0 / r]
    for _ in range(LINKS):
        states.append(pulsed(states[-1], rng))
    exact = solve_array(states[-1], wires, drive, tolerance=1e-14).output
    error, times = np.inf, np.empty((3, rounds, LINKS))
    taken, left = np.empty(LINKS), np.empty(LINKS)

    def step(solver: ArraySolver, g: np.ndarray, start: ArraySolution | None) -> ArraySolution:
        solver.update(g)
        return solver.solve(drive, tolerance=tolerance, start=start)

    for n in range(rounds):
        solver = ArraySolver(states[0], wires)
        last = solver.solve(drive, tolerance=tolerance)
        for k, g in enumerate(states[1:]):
            times[0, n, k], last = timed(partial(step, solver, g, last), 1)
            taken[k], left[k] = last.iterations, last.residual
        for k, g in enumerate(states[1:]):
            times[1, n, k], _ = timed(partial(step, solver, g, None), 1)
            times[2, n, k], _ = timed(
                partial(solve_array, g, wires, drive, tolerance=tolerance), 1
            )
        error = np.abs(last.output - exact).max() / exact.max()
    warm, kept, fresh = times.min(axis=1)
    later = warm[2:].mean()
    solver = ArraySolver(states[0], wires)
    before = last = solver.solve(drive, tolerance=tolerance)
    for _ in range(8):  # until factors, mode and rate have settled
        last = step(solver, states[0], last)
        step(solver, states[1], before)
    again, _ = timed(partial(step, solver, states[1], before), 10 * rounds)
    anew, _ = timed(partial(step, solver, states[1], None), 10 * rounds)
    print(
        f"{size:5d} {tolerance:8.0e}  cold {fresh.mean():7.3f} ms, {kept.mean():7.3f} in a kept "
        f"solver; warm {later:7.3f}, at first {warm[0]:.3f} and {warm[1]:.3f}, "
        f"{taken[2:].mean():.1f} iterations, residual {left.max():.1e}, error {error:.1e}; "
        f"ratio {later / fresh.mean():.2f} ({later / kept.mean():.2f}), of all {LINKS} "
        f"{warm.mean() / fresh.mean():.2f}; one change again and again {again:.3f} of {anew:.3f} "
        f"ms, {again / anew:.2f}",
        flush=True,
    )


def maps(size: int, rounds: int) -> None:
    """Print the times of an effective map, and of following ten changed cells exactly."""
    rng = np.random.default_rng(2)
    g, wires = rng.uniform(5e-6, 100e-6, (size, size)), Wires(2.0, 2.0)
    double, _ = timed(lambda: effective_map(g, wires), rounds)
    single, _ = timed(lambda: effective_map(g, wires, dtype=np.float32), rounds)
    at = rng.choice(g.size, 10, replace=False)
    few, _ = timed(
        lambda: exact_change(g, wires, at // size, at % size, np.full(10, 1e-6)), rounds
    )
    print(
        f"{size:5d}  float64 {double:7.1f} ms  float32 {single:7.1f} ms  ten cells exactly "
        f"{few:6.1f} ms",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--largest", type=int, default=1024, help="largest array; default 1024")
    parser.add_argument("--rounds", type=int, default=5, help="runs, of which the least counts")
    chosen = parser.parse_args()
    if chosen.largest < 64 or chosen.rounds < 1:
        parser.error("allowed: --largest from 64, --rounds from 1")
    sizes = [n for n in (64, 128, 256, 512, 1024) if n <= chosen.largest]
    print("CPU ms: ours (iterations, KCL residual); SuperLU factor + solve, error against it;")
    print("badcrossbar, ratio to ours, difference")
    solve_array(np.ones((4, 4)), Wires(1.0, 1.0), np.ones((9, 4)))  # compile
    for size in sizes:
        for drop in DROPS:
            for vectors in (1, 10):
                compare(size, drop, vectors, chosen.rounds)
    print(f"after one pulse on 1 % of the cells, {LINKS} times in a row; CPU ms per solution")
    for size in sizes[:4]:
        for tolerance in (1e-9, 1e-10):
            warm_start(size, tolerance, chosen.rounds)
    print("effective maps, 2 ohm, 5 to 100 uS")
    effective_map(np.ones((4, 4)), Wires(1.0, 1.0))
    effective_map(np.ones((4, 4)), Wires(1.0, 1.0), dtype=np.float32)
    for size in (n for n in sizes if n <= 256):
        maps(size, chosen.rounds)


if __name__ == "__main__":
    main()
