"""Ideal C-EP on MNIST: CPU seconds per epoch of Ohmlearn against a plain PyTorch loop.

Both train the same 784-512-10 network from the same start on the same mini-batches, in one
process and in alternating blocks, so that a change of clock speed or load meets both. The weights
are compared, so that two programs that learn different things cannot be compared for speed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from typing import NamedTuple

LAYERS = (784, 512, 10)
FREE_STEPS, NUDGED_STEPS = 40, 15
BETA, ETA = 0.2, (0.0056, 0.0028)
BATCH = 20
EPOCH = 60_000


class PlainLoop:
    """C-EP as published: every slot of the nudged phase writes all weights and biases.

    The drive of the first layer is computed once in the free phase, where the weights stand
    still, and in every slot of the nudged phase, where they do not.
    """

    def __init__(self, torch, network, theta):
        layout = network.layout
        self.w1, self.w2 = (torch.tensor(layout.weight(theta, n)) for n in (1, 2))
        self.b1, self.b2 = (torch.tensor(layout.bias(theta, n)) for n in (1, 2))
        self.torch = torch

    def parameters(self):
        """Return W_1, W_2, b_1, b_2 as NumPy arrays."""
        return [p.numpy() for p in (self.w1, self.w2, self.b1, self.b2)]

    def _next(self, drive, hidden, output):
        torch = self.torch
        h = torch.addmm(drive, output, self.w2.t()).sub_(0.5).mul_(4.0).sigmoid_()
        o = torch.addmm(self.b2, hidden, self.w2).sub_(0.5).mul_(4.0).sigmoid_()
        return h, o

    def train_batch(self, x, target):
        """Run both phases on *x* (batch, 784) with *target* (batch, 10)."""
        torch = self.torch
        hidden = torch.zeros(len(x), LAYERS[1])
        output = torch.zeros(len(x), LAYERS[2])
        drive = torch.addmm(self.b1, x, self.w1)
        for _ in range(FREE_STEPS):
            hidden, output = self._next(drive, hidden, output)
        rate = [eta / (BETA * len(x)) for eta in ETA]
        for _ in range(NUDGED_STEPS):
            drive = torch.addmm(self.b1, x, self.w1)
            h, o = self._next(drive, hidden, output)
            o.add_(target - output, alpha=BETA)
            moved = h - hidden
            self.w1.addmm_(x.t(), moved, alpha=rate[0])
            self.b1.add_(moved.sum(0), alpha=rate[0])
            self.w2.addmm_(h.t(), o, alpha=rate[1])
            self.w2.addmm_(hidden.t(), output, alpha=-rate[1])
            self.b2.add_((o - output).sum(0), alpha=rate[1])
            hidden, output = h, o


class Round(NamedTuple):
    """CPU seconds of one round, and the largest differences of weights and biases after it."""

    ohmlearn: float
    torch: float
    difference: float


def cpu_seconds(work, batches) -> float:
    """Return the CPU seconds of *work* on each of *batches*."""
    started = time.process_time()
    for x, target in batches:
        work(x, target)
    return time.process_time() - started


def compare(torch, data, rounds, batches):
    """Train both in alternating blocks; yield one :class:`Round` after each."""
    import numpy as np

    from ohmlearn.circuits.hopfield import HopfieldNetwork
    from ohmlearn.training.ideal import IdealLearner, Schedule
    from ohmlearn.training.rules import get_rule

    rng = np.random.default_rng(0)
    network = HopfieldNetwork.build(LAYERS)
    theta = network.initial_parameters(rng, dtype=np.float32)
    plain = PlainLoop(torch, network, theta)
    schedule = Schedule(FREE_STEPS, NUDGED_STEPS, BETA, np.array(ETA))
    rule = get_rule("cep", symmetric=True)
    learner = IdealLearner(network, theta, rule, schedule)

    def ours(x, target):
        learner.train_batch(x, target, 1.0, 0)

    eye = np.eye(data.classes, dtype=np.float32)
    IdealLearner(network, theta.copy(), rule, schedule).train_batch(
        data.x_train[:BATCH], eye[data.y_train[:BATCH]], 1.0, 0
    )  # compiles
    for turn in range(rounds):
        rows = rng.permutation(len(data.x_train))[: batches * BATCH].reshape(batches, BATCH)
        arrays = [(data.x_train[r], eye[data.y_train[r]]) for r in rows]
        tensors = [(torch.from_numpy(x), torch.from_numpy(y)) for x, y in arrays]
        order = [(ours, arrays), (plain.train_batch, tensors)]
        spent = {work: cpu_seconds(work, given) for work, given in order[:: (-1) ** turn]}
        mine = [learner.figures()[name] for name in ("w_1", "w_2", "b_1", "b_2")]
        pairs = zip(mine, plain.parameters(), strict=True)
        difference = max(float(np.max(np.abs(a - b))) for a, b in pairs)
        yield Round(spent[ours], spent[plain.train_batch], difference)


def report(results: list[Round], batches: int) -> None:
    """Print CPU seconds per epoch, the ratio and the agreement."""
    epoch = EPOCH / (batches * BATCH)
    ratios = [r.torch / r.ohmlearn for r in results]
    for name in ("ohmlearn", "torch"):
        seconds = [epoch * getattr(r, name) for r in results]
        print(
            f"{name:9} {statistics.median(seconds):7.2f} CPU s per epoch of 60,000 samples "
            f"(median; {min(seconds):.2f} to {max(seconds):.2f})"
        )
    print(
        f"ratio     {statistics.median(ratios):7.2f} times fewer CPU seconds "
        f"(median; {min(ratios):.2f} to {max(ratios):.2f})"
    )
    print(
        f"largest difference of a weight or bias: {results[0].difference:.1e} after {batches} "
        f"batches, {results[-1].difference:.1e} after {batches * len(results)}"
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=int, default=200, help="batches of 20 in one round")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--data-dir", help="folder of MNIST; else OHMLEARN_DATA")
    parser.add_argument("--threads", type=int, default=1, help="of BLAS and PyTorch")
    chosen = parser.parse_args()
    if not 1 <= chosen.batches <= EPOCH // BATCH:
        parser.error(f"--batches is {chosen.batches}; allowed: 1 to {EPOCH // BATCH}")
    if chosen.rounds < 1 or chosen.threads < 1:
        parser.error("--rounds and --threads must be at least 1")
    return chosen


def main() -> int:
    chosen = arguments()
    for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ[name] = str(chosen.threads)
    try:
        import torch
    except ImportError:
        print("error: this comparison needs PyTorch: pip install torch", file=sys.stderr)
        return 2
    import threadpoolctl

    from ohmlearn.errors import OhmlearnError
    from ohmlearn.training.datasets import load

    torch.set_num_threads(chosen.threads)
    try:
        data = load("mnist", chosen.data_dir)
    except OhmlearnError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(
        f"C-EP, MNIST, {'-'.join(map(str, LAYERS))}, batch {BATCH}, T {FREE_STEPS}, "
        f"K {NUDGED_STEPS}, float32, {chosen.threads} thread(s), PyTorch {torch.__version__}"
    )
    with threadpoolctl.threadpool_limits(chosen.threads), torch.no_grad():
        results = list(compare(torch, data, chosen.rounds, chosen.batches))
    report(results, chosen.batches)
    return 0


if __name__ == "__main__":
    sys.exit(main())
