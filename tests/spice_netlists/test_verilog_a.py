"""Devices as Verilog-A modules: structure, reserved words, and a compiler where there is one."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from ohmlearn.devices.registry import devices
from ohmlearn.spice_netlists.parts import verilog_a
from ohmlearn.spice_netlists.parts.words import VERILOG_AMS


@pytest.mark.parametrize("name", devices())
def test_every_variable_is_declared_before_it_is_assigned(name: str):
    text = verilog_a(devices()[name].params())
    header = text[: text.index("analog begin")]
    for variable in re.findall(r"^ +(\w+) = ", text, re.MULTILINE):
        assert re.search(rf"real [^;]*\b{variable}\b", header)
    assert text.count("(") == text.count(")")
    for words in (("function ", "endfunction"), ("module ", "endmodule")):
        opened, closed = (len(re.findall(rf"^ *(?:analog )?{w}", text, re.M)) for w in words)
        assert opened == closed


@pytest.mark.parametrize("name", devices())
def test_parameters_are_all_there_with_their_numbers(name: str):
    p = devices()[name].params()
    found = dict(re.findall(r"parameter real (\w+) = (\S+);", verilog_a(p)))
    assert [float(v) for v in found.values()] == list(p)
    assert not VERILOG_AMS & set(found)


def test_a_word_of_the_language_is_no_name():
    assert "module vteam(" in verilog_a(devices()["VTEAM"].params())
    assert "module module_m(" in verilog_a(devices()["VTEAM"].params(), label="Module")
    assert "parameter real edge_p = 0.01;" in verilog_a(devices()["LinearIonDrift"].params())


@pytest.mark.parametrize("name", devices())
def test_it_compiles(name: str, openvaf: str, tmp_path: Path):
    module = tmp_path / "device.va"
    module.write_text(verilog_a(devices()[name].params()))
    run = subprocess.run(
        [openvaf, module], capture_output=True, text=True, check=False, cwd=tmp_path, timeout=60
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert (tmp_path / "device.osdi").is_file()
    assert "warning" not in run.stdout + run.stderr
