"""The arithmetic of a shared function is its own, whoever has compiled it first."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import sys
import numpy as np
from ohmlearn.devices import get_device
from ohmlearn.devices.dispatch import current, potentiation
from ohmlearn.devices.variability import pulse
from ohmlearn.jit import inner, kernel, loop

def body(p, x, out):
    for k in range(x.size):
        out[k] = pulse(p, x[k], True, x[k], x[k], x[k], True) + current(p, x[k], x[k])

compiled = dict(zip(("kernel", "loop", "inner"), (kernel(body), loop(body), inner(body))))
p = get_device("SoftBounds").params()
x = np.random.default_rng(0).random(1000)
out = np.empty_like(x)
for name in sys.argv[1:]:
    compiled[name](p, x, out)
compiled["kernel"](p, x, out)
print(out.tobytes().hex())
"""


@pytest.mark.slow
def test_bits_do_not_depend_on_who_compiled_first(tmp_path):
    program, found = tmp_path / "program.py", set()
    program.write_text(PROGRAM)
    for order in ([], ["loop"], ["inner", "loop"]):
        cache = tmp_path / "-".join(["cache", *order])
        run = subprocess.run(
            [sys.executable, program, *order],
            env={**os.environ, "NUMBA_CACHE_DIR": str(cache)},
            capture_output=True,
            text=True,
            check=True,
        )
        found.add(run.stdout)
    assert len(found) == 1
