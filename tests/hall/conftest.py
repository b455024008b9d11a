"""Records of runs for the tests of reports, written by hand so that every number is known."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ohmlearn.experiment import parse_experiment
from ohmlearn.record import SUMMARY_KEYS, write_record

EXPERIMENT = """
name = "by_hand"
data = { name = "digits" }
network = { layers = [2, 2] }
device = { model = "SoftBounds" }
crossbar = { encoding = "pair", v_read = 0.2 }
training = { epochs = 1 }

[learning]
rule = "ep"
beta = 0.5
eta = 0.1
free_steps = 1
nudged_steps = 1

[hardware]
t_step = 1e-7
"""

#: Overrides that leave nothing but what the arrays take.
BARE = tuple(
    f"hardware.{key}={value}"
    for key, value in {
        "adc_energy": 0.0,
        "dac_energy": 0.0,
        "neuron_energy": 0.0,
        "amplifier_power": 0.0,
        "read_supply": 0.0,
        "write_efficiency": 1.0,
        "wire_capacitance": 0.0,
        "cell_capacitance": 0.0,
        "update_energy": 0.0,
        "select_energy": 0.0,
    }.items()
)


@pytest.fixture
def hand_record(tmp_path) -> Callable[..., Path]:
    """Return a writer of records: arrays, writes, summary entries and overrides, to a folder."""

    def write(
        arrays: dict[str, np.ndarray],
        writes: list[dict[str, float]] | None = None,
        overrides: tuple[str, ...] = (),
        folder: str = "run",
        **entries: Any,
    ) -> Path:
        experiment = parse_experiment(EXPERIMENT, "by hand", [*BARE, *overrides])
        summary: dict[str, Any] = dict.fromkeys(SUMMARY_KEYS, 0)
        summary.update(effects=[], epochs=experiment.training.epochs, train_rows=1, cells=1)
        summary.update({} if writes is None else {"writes": writes}, **entries)
        write_record(tmp_path / folder, experiment, summary, arrays, [{"epoch": 1}])
        return tmp_path / folder

    return write
