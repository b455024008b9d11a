"""Netlists in a process of their own: full results, or an error that quotes ngspice."""

import os
import subprocess
import time

import numpy as np
import pytest

from ohmlearn.errors import NetlistError
from ohmlearn.spice_netlists.ngspice import Found, run_batch

pytestmark = [pytest.mark.spice, pytest.mark.usefixtures("ngspice")]

DIVIDER = "* divider\nv1 a 0 dc 1\nr1 a b 1000.0\nr2 b 0 3000.0\n"


def test_an_operating_point():
    plots = run_batch(f"{DIVIDER}.op\n.end\n", vectors=["v(b)", "i(v1)"], points=1)
    assert plots["op"]["v(b)"][0] == pytest.approx(0.75, rel=1e-15)
    assert plots[0].columns(["i(v1)"])[0, 0] == pytest.approx(-0.25e-3, rel=1e-15)
    assert plots.notes == ()


def test_several_analyses_and_measures_to_all_digits():
    text = """* rc
v1 a 0 pulse(0 1 1e-9 1e-12 1e-12 1e-6 2e-6)
r1 a b 1000.0
c1 b 0 1e-12
.op
.ac dec 2 1e6 1e8
.tran 1e-11 5e-9
.meas tran peak find v(b) at=3e-9
.meas tran area integ v(b) from=0 to=5e-9
"""
    plots = run_batch(text)
    kinds = {"Operating Point", "AC Analysis", "Transient Analysis"}
    assert {plot.kind for plot in plots} == kinds
    assert len(plots) == 3
    assert np.iscomplexobj(plots["ac"].data)
    tran = plots["tran"]
    assert plots.measures["area"] == pytest.approx(
        np.trapezoid(tran["v(b)"], tran["time"]), rel=1e-12
    )
    assert plots.measures["peak"] == pytest.approx(1 - np.exp(-2.0), abs=1e-3)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("r3 a b\n.include none.inc\n.op", "none.inc"),
        ("r3 a b {q}\n.op", "q"),
        ("b1 a 0 i=nothing(v(a))\n.op", "nothing"),
        ("x1 a b none\n.op", "unknown subckt"),
        ("d1 a b none\n.op", "can't find model"),
        ("v2 a 0 dc 2\n.op", "singular"),
        ("c1 c 0 1e-12\nc2 c a 1e-12\n.op", "singular"),
        ("r3 a b\n.op", "1 mOhm"),
        (".tran 1e-9 1e-8\n.meas tran x when v(a)=5", "out of interval"),
        ("", "has the netlist an analysis"),
    ],
)
def test_what_goes_wrong_is_an_error_that_says_so(lines, told):
    with pytest.raises(NetlistError, match=told):
        run_batch(f"{DIVIDER}{lines}\n.end\n", timeout=60)


def test_no_convergence_is_an_error_though_the_exit_status_is_zero():
    text = "* t\nv1 a 0 1\nb1 b 0 i=sgn(v(b)-0.5)-0.3\nr1 a b 1\n.op\n"
    with pytest.raises(NetlistError, match=r"aborted|failed"):
        run_batch(text, timeout=60)


def test_results_that_are_missing_are_an_error():
    with pytest.raises(NetlistError, match=r"v\(z\)"):
        run_batch(f"{DIVIDER}.op\n", vectors=["v(z)"])
    with pytest.raises(NetlistError, match="1 points of 2"):
        run_batch(f"{DIVIDER}.op\n", points=2)


def test_a_process_that_takes_too_long_is_killed():
    started = time.perf_counter()
    with pytest.raises(NetlistError, match="no result after 1 s"):
        run_batch(f"{DIVIDER}.tran 1e-12 1 0 1e-12\n", timeout=1)
    assert time.perf_counter() - started < 20


def test_an_interrupt_leaves_no_process_behind(monkeypatch):
    started = []
    real = subprocess.Popen.wait

    def interrupted(self, timeout=None):
        if timeout is not None and not started:
            started.append(self)
            raise KeyboardInterrupt
        return real(self, timeout)

    monkeypatch.setattr(subprocess.Popen, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_batch(f"{DIVIDER}.tran 1e-12 1 0 1e-12\n")
    assert started[0].returncode is not None


def test_files_beside_a_bench_can_be_included_and_start_up_files_are_not_read(
    tmp_path, monkeypatch
):
    (tmp_path / "part.inc").write_text("r1 a b 1000.0\nr2 b 0 1000.0\n")
    (tmp_path / ".spiceinit").write_text("quit\n")
    bench = tmp_path / "tb_free.sp"
    bench.write_text("* bench\n.include part.inc\nv1 a 0 dc 1\n.op\n.end\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SPICE_ASCIIRAWFILE", "1")
    before = sorted(os.listdir(tmp_path))
    assert run_batch(bench)["op"]["v(b)"][0] == 0.5
    assert sorted(os.listdir(tmp_path)) == before
    with pytest.raises(NetlistError, match="cannot be read"):
        run_batch(tmp_path / "none.sp")


def test_a_program_that_is_not_ngspice_is_an_error():
    with pytest.raises(NetlistError, match=r"status 1|no results"):
        run_batch(f"{DIVIDER}.op\n", simulator=Found(path="/bin/false"))
    with pytest.raises(NetlistError, match="cannot be started"):
        run_batch(f"{DIVIDER}.op\n", simulator=Found(path="/none/ngspice"))
