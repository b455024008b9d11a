"""What ``params.inc`` offers to be changed by hand gives the circuit that was meant."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ohmlearn.cosimulation.circuit import circuit_of
from ohmlearn.cosimulation.comparison import deck_of
from ohmlearn.experiment import load_experiment

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
TIMES = ("circuit.free_duration=2e-6", "circuit.slot_duration=2e-7")
HOPFIELD = ("data.limit_test=3", *TIMES)


def measured(ngspice: str, folder: Path) -> dict[str, float]:
    done = subprocess.run(
        [ngspice, "-b", "tb_step.sp"], cwd=folder, capture_output=True, text=True, check=True
    )
    # The free phase: with current nudges the nudged one depends on what the kernels found.
    found = re.findall(r"^(e_\w+_1)\s*=\s*(\S+)", done.stdout, re.MULTILINE)
    return {name: float(value) for name, value in found}


@pytest.mark.spice
@pytest.mark.parametrize(
    ("file", "changes", "here", "there"),
    [
        (None, HOPFIELD, "circuit.capacitance=1e-12", "circuit.capacitance=3e-12"),
        ("xor_resistive.toml", TIMES, "resistive.gain=4.0", "resistive.gain=2.0"),
    ],
    ids=["capacitances", "gains"],
)
def test_parameters_changed_by_hand_are_those_of_another_experiment(
    ngspice, tmp_path, file, changes, here, there
):
    path = EXAMPLES / file if file else None
    for name, change in (("edited", here), ("meant", there)):
        circuit = circuit_of(load_experiment(path, [*changes, change]), None, None)
        deck_of(circuit, 1, ["step"]).write(tmp_path / name)
    before = measured(ngspice, tmp_path / "edited")
    shutil.copy(tmp_path / "meant" / "params.inc", tmp_path / "edited" / "params.inc")
    edited, meant = (measured(ngspice, tmp_path / name) for name in ("edited", "meant"))
    assert edited == pytest.approx(meant, rel=1e-3, abs=1e-16)
    assert edited != pytest.approx(before, rel=1e-2, abs=1e-16)
