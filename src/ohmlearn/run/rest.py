"""Testing a trained network after it has been left alone for a while."""

from __future__ import annotations

from typing import Any

from ..assembly import AnyLearner
from ..experiment import Experiment
from ..training.ideal import IdealLearner
from ..training.samples import Dataset
from ..training.trainer import accuracy

__all__ = ["accuracy_after_rest", "idle_time"]


def accuracy_after_rest(
    experiment: Experiment, learner: AnyLearner, data: Dataset
) -> list[dict[str, Any]]:
    """Return the accuracy on the test rows after each of ``evaluation.after_seconds``.

    Every rest starts from the end of training. The learner is the same afterwards.
    """
    if isinstance(learner, IdealLearner) or not learner.cells:
        return []
    results = []
    step = (experiment.training.epochs + 1) * len(data.x_train)
    for seconds in experiment.evaluation.after_seconds:
        with learner.rested(seconds):
            right, loss = accuracy(learner, data.x_test, data.y_test, step, experiment.run.threads)
        results.append({"after_seconds": seconds, "test_accuracy": right, "test_loss": loss})
    return results


def idle_time(experiment: Experiment, learner: AnyLearner) -> str:
    """Return a sentence if an effect of time is on but no time passes in the run, else ""."""
    if isinstance(learner, IdealLearner) or not learner.cells:
        return ""
    if experiment.evaluation.after_seconds or not learner.crossbars[0].effects.with_time:
        return ""
    return (
        "note: retention, random telegraph and 1/f noise act as time passes, which it does only "
        "in evaluation.after_seconds; that list is empty."
    )
