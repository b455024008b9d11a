"""Preset files and the checks of ``--check``, over everything that is registered."""

import pytest
import tomli_w

from ohmlearn.devices import devices, get_device, presets
from ohmlearn.devices.checks import CHECKS, check_device
from ohmlearn.devices.preset_files import preset_as_table, read_preset
from ohmlearn.devices.registry import builtin_devices, is_builtin


@pytest.mark.parametrize("name", presets())
def test_a_preset_file_gives_the_preset_back(name, tmp_path):
    device, preset = presets()[name]
    path = tmp_path / "preset.toml"
    path.write_text(tomli_w.dumps(preset_as_table(name, device, preset)), encoding="utf-8")
    found = read_preset(path, get_device)
    assert (found.name, found.device) == (name, device)
    assert found.preset == preset
    assert not is_builtin(found.preset)


@pytest.mark.parametrize("name", devices())
def test_every_model_passes_every_check(name):
    outcome = check_device(devices()[name])
    assert [check.name for check in outcome] == list(CHECKS)
    assert [check for check in outcome if not check.passed] == []


def test_what_comes_with_the_package_is_told_from_the_rest():
    assert set(builtin_devices()) <= set(devices())
    for device in builtin_devices().values():
        assert all(is_builtin(preset) for preset in device.presets.values())
