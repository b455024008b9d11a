"""The log of ngspice: errors are errors whatever the exit status, and titles are no errors."""

import pytest

from ohmlearn.spice_netlists.ngspice.log import faults, measures, notes


@pytest.mark.parametrize(
    "line",
    [
        "Error on line 3 or its substitute:",
        "Warning: singular matrix:  check node c",
        "doAnalyses: OP:  Timestep too small; cause unrecorded.",
        "run simulation(s) aborted",
        " .meas tran bad when v(b)=7 failed!",
        "DC solution failed -",
        "Trying gmin =   1.0000E-03 Warning: singular matrix:  check node c",
        "Warning: r1: resistance to low, set to 1 mOhm",
        "ERROR: fatal error in ngspice, exit(1)",
        "warning, can't find model 'nomod' from line",
    ],
)
def test_a_line_that_tells_of_an_error(line):
    assert len(faults(f"Circuit: * t\n{line}\nngspice-39 done\n")) == 1


@pytest.mark.parametrize(
    "line",
    [
        "Circuit: * the error that failed",
        "Note: No compatibility mode selected!",
        "Note: Starting dynamic gmin stepping",
        "Trying gmin =   9.9998E-04 Warning: Last gmin step failed",
        "Warning: Dynamic gmin stepping failed",
        "Supplies reduced to   0.1000% Warning: source stepping failed",
        "* unknown letters in a comment",
    ],
)
def test_a_line_that_tells_of_none(line):
    assert faults(line) == []


def test_a_repeated_error_is_told_once():
    assert len(faults("Warning: singular matrix\n" * 5)) == 1


def test_stepping_is_noted():
    assert notes("Note: Starting true gmin stepping\nNo. of Data Rows : 1\n") == [
        "Note: Starting true gmin stepping"
    ]


def test_measures_are_read_by_name():
    log = "No. of Data Rows : 91\nE1  =  1.5e-12 from=  0.0e+00 to=  2.0e-08\nx = 3.0\n"
    assert measures(log, ["e1"]) == {"e1": 1.5e-12}
    assert measures(log, []) == {}
