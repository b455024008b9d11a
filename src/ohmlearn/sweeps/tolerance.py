"""The largest spread with which a network still meets an accuracy, by bisection.

A spread *meets* the accuracy if the one-sided lower confidence bound of the mean test accuracy
over seeds,

    mean - t(confidence, n - 1) s / sqrt(n),

is at least the accuracy asked for; s is the standard deviation of the n seeds, t the quantile of
Student's distribution. A seed that fails makes its spread fail. All spreads have the same seeds
(common random numbers), so that neighbours differ by the spread, not by luck.

The confidence is that of each single decision, over seeds: other cells, initial weights and
orders of the same data. It says nothing of other test images. Between the spreads that were
tried the accuracy is taken to fall as the spread grows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from .design import whole_numbers
from .engine import Engine
from .plan import Base, make_tasks, refuse_useless
from .store import Store
from .sweep import Listener, carry_out
from .tidy import Row, write_results

__all__ = ["Goal", "Tolerance", "Trial", "bisect", "find_tolerance", "lower_bound"]


@dataclass(frozen=True)
class Goal:
    """What is asked: an accuracy, and how *key* may vary."""

    key: str
    accuracy: float
    low: float
    high: float
    resolution: float
    seeds: int
    confidence: float

    def __post_init__(self) -> None:
        for problem in self._problems():
            raise ConfigError(problem)

    def _problems(self):
        if not 0.0 < self.accuracy <= 1.0:
            yield f"--accuracy is {self.accuracy:g}; it must be a fraction above 0 and at most 1."
        if not 0.0 < self.confidence < 1.0:
            yield f"--confidence is {self.confidence:g}; it must be between 0 and 1."
        if self.seeds < 2:
            yield f"--seeds is {self.seeds}; a confidence needs at least 2."
        ends = f"--low is {self.low:g} and --high {self.high:g}"
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            yield f"{ends}; they must be finite numbers in this order."
        if not 0.0 < self.resolution < self.high - self.low:
            yield (
                f"--resolution is {self.resolution:g}; it must be above 0 and below the range, "
                f"{self.high - self.low:g}."
            )
        if self.key in ("", "run.seed") or "=" in self.key:
            yield f"--over {self.key}: name one key with numbers, such as device.cycle_to_cycle."
        if whole_numbers(self.key):
            yield (
                f"--over {self.key} takes whole numbers; a tolerance needs a key that takes any "
                "number. Use ohmlearn sweep."
            )


@dataclass(frozen=True)
class Trial:
    """A spread, and what its seeds gave; *bound* is the lower confidence bound of the mean."""

    value: float
    accuracies: tuple[float, ...]
    failed: int
    reason: str
    mean: float
    bound: float
    meets: bool


@dataclass(frozen=True)
class Tolerance:
    """The answer: the largest spread known to meet, the smallest known to fail."""

    name: str
    key: str
    accuracy: float
    seeds: int
    confidence: float
    meets: float | None
    fails: float | None
    trials: tuple[Trial, ...]

    def sentence(self) -> str:
        """Return the answer in words, with what its confidence is about."""
        percent, goal = f"{100 * self.confidence:g} %", f"{100 * self.accuracy:g} %"
        bound = (
            f"one-sided {percent} lower bound of the mean test accuracy over {self.seeds} seeds"
        )
        if self.meets is None:
            lower = ", or --low must be lower" if self.fails else ""
            return (
                f"{self.key} = {self.fails:g}, the smallest value tried, already fails: the "
                f"{bound} is below {goal}. Nothing in the range meets it; better cells alone do "
                f"not help{lower}."
            )
        if self.fails is None:
            return (
                f"{self.key} = {self.meets:g}, the largest value tried, still meets {goal} (the "
                f"{bound}); the tolerance is larger: raise --high."
            )
        return (
            f"{self.key} = {self.meets:g} meets {goal} and {self.fails:g} does not: the {bound} "
            "(Student's t, the same seeds at every value) is above it at the first and below it "
            "at the second."
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that JSON knows."""
        trials = [
            asdict(trial) | {"mean": _known(trial.mean), "bound": _known(trial.bound)}
            for trial in self.trials
        ]
        return asdict(self) | {"trials": trials, "sentence": self.sentence()}


def _known(number: float) -> float | None:
    return number if math.isfinite(number) else None


def lower_bound(values: Sequence[float], confidence: float) -> tuple[float, float]:
    """Return mean and one-sided lower confidence bound of the mean (Student's t) of *values*."""
    from scipy.stats import t

    n = len(values)
    mean = math.fsum(values) / n
    deviation = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (n - 1))
    return mean, mean - float(t.ppf(confidence, n - 1)) * deviation / math.sqrt(n)


def bisect(
    low: float, high: float, resolution: float, attempt: Callable[[Sequence[float]], list[bool]]
) -> tuple[float | None, float | None]:
    """Return the largest value known to meet and the smallest known to fail.

    None for the first if *low* fails, for the second if *high* meets. *attempt* is told several
    values where both must be known anyway.
    """
    low_meets, high_meets = attempt([low, high])
    if not low_meets:
        return None, low
    if high_meets:
        return high, None
    while high - low > resolution:
        middle = float(f"{0.5 * (low + high):.6g}")
        if not low < middle < high:
            break
        (meets,) = attempt([middle])
        low, high = (middle, high) if meets else (low, middle)
    return low, high


def find_tolerance(
    base: Base,
    goal: Goal,
    folder: Path,
    engine: Engine,
    listener: Listener,
    retry: bool = False,
) -> Tolerance:
    """Return the tolerance of *base* to *goal*; what *folder* holds is not computed again.

    Raises
    ------
    ConfigError
        The key or an end of its range is not allowed, or *folder* holds another question.
    RecordError
        Something cannot be written; what is done is kept.
    """
    trials: list[Trial] = []
    rows: list[Row] = []
    question = base.question | {"keys": [goal.key], "tolerance": True}

    def attempt(values: Sequence[float]) -> list[bool]:
        points = [(f"{value:.6g}",) for value in values]
        tasks = make_tasks(base, [goal.key], points, goal.seeds, first=len(trials))
        refuse_useless(tasks, [goal.key], drawn=False)
        found = carry_out(tasks, store, engine, listener, retry)
        rows.extend(found)
        for number, value in enumerate(values):
            own = found[number * goal.seeds : (number + 1) * goal.seeds]
            trials.append(judge(value, own, goal))
        return [trial.meets for trial in trials[-len(values) :]]

    ends = make_tasks(base, [goal.key], [(f"{goal.low:.6g}",), (f"{goal.high:.6g}",)], 1)
    refuse_useless(ends, [goal.key], drawn=False)
    with Store(folder, question) as store:
        meets, fails = bisect(goal.low, goal.high, goal.resolution, attempt)
        write_results(folder, [goal.key], rows)
        store.clear()
    return Tolerance(
        base.name, goal.key, goal.accuracy, goal.seeds, goal.confidence, meets, fails,
        tuple(trials),
    )  # fmt: skip


def judge(value: float, rows: Sequence[Row], goal: Goal) -> Trial:
    """Return whether the seeds of one spread meet the goal."""
    accuracies = tuple(
        1.0 - row.result["metrics"][_error_of(row)] / 100.0 for row in rows if row.done
    )
    wrong = [row.result["reason"] for row in rows if not row.done]
    mean = bound = math.nan
    if not wrong:
        mean, bound = lower_bound(accuracies, goal.confidence)
    # Rounding must not decide between an accuracy and a bound that are the same fraction.
    meets = not wrong and bound >= goal.accuracy - 1e-12
    return Trial(value, accuracies, len(wrong), wrong[0] if wrong else "", mean, bound, meets)


def _error_of(row: Row) -> str:
    """Return the metric that counts: after a rest, if the experiment has one."""
    rested = "rested_error_percent"
    return rested if rested in row.result["metrics"] else "test_error_percent"
