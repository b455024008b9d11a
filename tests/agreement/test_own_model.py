"""A model of the user's own, in one file, as a netlist: nothing else has to be written for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "devices"

PROGRAM = """
import numpy as np
from ohmlearn.devices.contract import change_after
from ohmlearn.devices.registry import get_device
from ohmlearn.spice_netlists.ngspice import run_batch
from ohmlearn.spice_netlists.parts import DIALECTS, instance, subcircuit, verilog_a

p = get_device("CubicStep").params()
for dialect in DIALECTS:
    assert ".ends" in subcircuit(p, dialect) or "ends" in subcircuit(p, dialect)
assert "endmodule" in verilog_a(p)
edge, width = 0.001 * p.t_set, p.t_set
deck = f'''* one SET pulse
{subcircuit(p, label="own")}
vp a 0 pwl(0 0 {edge!r} {p.v_set!r} {width!r} {p.v_set!r} {width + edge!r} 0)
{instance("1", ("a", "0", "x"), "own", x0=0.3)}
.options temp=27 reltol=1e-7 vntol=1e-9 abstol=1e-15 trtol=1 chgtol=1e-18
.save v(x) i(vp)
.tran {width / 100!r} {2 * width!r} 0 {width / 100!r}
.end
'''
found = run_batch(deck)["tran"]["v(x)"][-1] - 0.3
ours = change_after(p, p.v_set, p.t_set, 0.3)
assert ours > 1e-4, ours
assert abs(found - ours) < 2e-3 * ours + 1e-7, (found, ours)
"""


@pytest.mark.spice
def test_a_model_in_the_users_folder_is_exported_and_moves_as_in_the_kernels(ngspice):
    environment = os.environ | {"OHMLEARN_DEVICES": str(EXAMPLES)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
