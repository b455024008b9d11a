"""A resistive network of 784-100-10 with Shockley diodes: these kernels beside ngspice.

The circuit: voltage sources at the inputs, conductances log-uniform between 1e-6 and 1e-4 S
from default_rng(5), a pair of diodes (IS = 1e-12 A, N = 1) from every hidden node to rails at
-0.1 and 0.1 V, 1 pF at every node, inputs uniform between -0.4 and 1.2 V. The transient is the
step response from 0 V over 6 ns.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

for _name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[_name] = "1"

import numpy as np  # noqa: E402 - the number of threads is read at import

from ohmlearn.circuits.numba_simulator import NumbaSimulator  # noqa: E402
from ohmlearn.circuits.resistive.network import DIODES, Diode, ResistiveNetwork  # noqa: E402
from ohmlearn.circuits.simulator import Phase  # noqa: E402

DURATION = 6e-9
DEFAULT = ""
TIGHT = "reltol=1e-5 vntol=1e-9 abstol=1e-15 chgtol=1e-18 trtol=1"


def problem(sizes: tuple[int, ...]) -> tuple[ResistiveNetwork, np.ndarray]:
    """Return the network and its inputs (1, n_0)."""
    rng = np.random.default_rng(5)
    g = [np.exp(rng.uniform(np.log(1e-6), np.log(1e-4), pair)) for pair in pairwise(sizes)]
    low, high = ([sign * 0.1] * (len(g) - 1) + [None] for sign in (-1, 1))
    diode = Diode(DIODES["shockley"], 1e-12, 1.0)
    return ResistiveNetwork.build(g, low=low, high=high, diode=diode), rng.uniform(
        -0.4, 1.2, (1, sizes[0])
    )


def deck(network: ResistiveNetwork, x: np.ndarray, analysis: str, options: str) -> str:
    """Return the circuit in SPICE's language; the sources step from 0 V in a transient."""
    tran = analysis.startswith("tran")
    lines = ["* resistive network", ".model d d(is=1e-12 n=1)", "vl low 0 -0.1", "vh high 0 0.1"]
    for i, v in enumerate(x[0].tolist()):
        lines.append(f"v{i} n0_{i} 0 {v!r}")
    for layer, g in enumerate(network.g):
        for (i, j), r in np.ndenumerate(1.0 / g):
            lines.append(f"r{layer}_{i}_{j} n{layer}_{i} n{layer + 1}_{j} {float(r)!r}")
    saved = []
    for layer, n in enumerate(network.sizes[1:], 1):
        for j in range(n):
            saved.append(f"v(n{layer}_{j})")
            if layer < network.depth:
                lines.append(f"du{layer}_{j} n{layer}_{j} high d")
                lines.append(f"dl{layer}_{j} low n{layer}_{j} d")
            if tran:
                lines.append(f"c{layer}_{j} n{layer}_{j} 0 1e-12 ic=0")
    lines.append(f".options temp=27 tnom=27 gmin=1e-12 {options}")
    lines.append(".save " + " ".join(saved))
    lines += [f".{analysis}", ".end", ""]
    return "\n".join(lines)


def ngspice(text: str, folder: Path) -> tuple[float, np.ndarray]:
    """Run a deck; return CPU seconds of the process and the vectors (points, 1 + nodes)."""
    source, raw, log = (folder / name for name in ("x.cir", "x.raw", "x.log"))
    source.write_text(text, encoding="ascii")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = ["ngspice", "-b", "-n", "-r", str(raw), "-o", str(log), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    head, _, body = raw.read_bytes().partition(b"Binary:\n")
    counts = re.search(rb"No. Variables: (\d+)\s+No. Points: (\d+)", head)
    if counts is None:
        raise SystemExit(f"ngspice wrote no results; its log:\n{log.read_text()}")
    width, points = (int(n) for n in counts.groups())
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, np.frombuffer(body, np.float64, width * points).reshape(points, width)


def timed(run: Callable[[], Any], rounds: int) -> tuple[float, Any]:
    """Return CPU seconds per call, the mean of the faster half of some calls, and a result."""
    seconds = []
    result = run()
    for _ in range(rounds):
        start = time.process_time()
        result = run()
        seconds.append(time.process_time() - start)
    return float(np.mean(sorted(seconds)[: max(rounds // 2, 1)])), result


def steady(network: ResistiveNetwork, x: np.ndarray, rounds: int, folder: Path) -> None:
    ours, found = timed(lambda: NumbaSimulator().settle(network, Phase(x)), rounds)
    theirs, vectors = ngspice(deck(network, x, "op", DEFAULT), folder)
    nodes = np.concatenate(found.voltages, axis=1)[0]
    error = np.abs(vectors[-1, -nodes.size :] - nodes).max()
    batch = np.random.default_rng(6).uniform(-0.4, 1.2, (256, x.shape[1]))
    many, _ = timed(lambda: NumbaSimulator().settle(network, Phase(batch)), 5)
    print(
        f"steady state  ngspice {theirs:7.3f} s  ours {1e6 * ours:8.1f} us  ratio "
        f"{theirs / ours:8.0f}  largest difference {error:.1e} V, residual {found.residual:.1e} "
        f"A, {found.iterations} iterations; in a batch of 256: {1e6 * many / 256:.1f} us per "
        f"sample, ratio {256 * theirs / many:.0f}",
        flush=True,
    )


def in_time(
    network: ResistiveNetwork, x: np.ndarray, rounds: int, folder: Path, name: str, options: str
) -> None:
    phase = Phase(x, duration=DURATION)
    simulator = NumbaSimulator(tolerance=1e-6)
    ours, found = timed(lambda: simulator.transient(network, [phase], points=100), rounds)
    exact = NumbaSimulator(tolerance=1e-10).transient(network, [phase], points=6000)
    own = max(
        np.abs(a - b[::60]).max() for a, b in zip(found.voltages, exact.voltages, strict=True)
    )
    analysis = f"tran {DURATION / 120!r} {DURATION!r} 0 {DURATION / 120!r} uic"
    theirs, vectors = ngspice(deck(network, x, analysis, options), folder)
    nodes = np.concatenate(exact.voltages, axis=2)[:, 0]
    waves = [np.interp(vectors[:, 0], exact.t, wave) for wave in nodes.T]
    on_the_way = np.abs(vectors[:, 1:] - np.array(waves).T).max()
    print(
        f"transient     ngspice {theirs:7.3f} s ({name}, {len(vectors)} points)  ours "
        f"{1e3 * ours:6.2f} ms ({found.steps} steps)  ratio {theirs / ours:8.0f}  error of ours "
        f"{own:.1e} V; ngspice differs by {on_the_way:.1e} V on the way, "
        f"{np.abs(vectors[-1, 1:] - nodes[-1]).max():.1e} V at the end",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hidden", type=int, default=100, help="hidden nodes; default 100")
    parser.add_argument("--rounds", type=int, default=50, help="calls of ours; default 50")
    parser.add_argument("--tight", action="store_true", help="also ngspice at tight tolerances")
    options = parser.parse_args()
    network, x = problem((784, options.hidden, 10))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        steady(network, x, options.rounds, folder)
        in_time(network, x, options.rounds, folder, "default", DEFAULT)
        if options.tight:
            in_time(network, x, options.rounds, folder, "tight", TIGHT)


if __name__ == "__main__":
    main()
