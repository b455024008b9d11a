"""Finding ngspice: what is missing or different is a sentence that says what to do."""

import pytest

from ohmlearn.errors import NetlistError
from ohmlearn.spice_netlists.ngspice.find import TESTED, Found, find_ngspice

ALL = Found("/usr/bin/ngspice", TESTED, "/usr/lib/libngspice.so.0", "/usr/lib/ngspice", "1.5")


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Return a writer of a program that says it is ngspice of some version."""

    def write(version) -> str:
        path = tmp_path / f"ngspice{version}"
        path.write_text(f"#!/bin/sh\necho '** ngspice-{version} : Circuit level simulation'\n")
        path.chmod(0o755)
        monkeypatch.setenv("OHMLEARN_NGSPICE", str(path))
        return str(path)

    return write


def test_nothing_to_remark_on_what_was_tested():
    assert ALL.remarks() == ()
    assert ALL.batch
    assert ALL.shared


@pytest.mark.parametrize(
    ("change", "told", "batch", "shared"),
    [
        ({"path": "", "version": 0}, "apt-get install ngspice", False, True),
        ({"library": ""}, "apt-get install libngspice0", True, False),
        ({"pyspice": ""}, "pip install PySpice", True, False),
        ({"version": 43}, "standard error", True, False),
        ({"version": 38}, "not tested", True, True),
        ({"code_models": ""}, "code models", True, True),
    ],
)
def test_a_remark_says_what_to_install_or_what_differs(change, told, batch, shared):
    found = Found(**(vars(ALL) | change))
    assert len(found.remarks()) == 1
    assert told in found.remarks()[0]
    assert (found.batch, found.shared) == (batch, shared)


def test_the_environment_names_the_program(program):
    path = program(43)
    found = find_ngspice()
    assert (found.path, found.version) == (path, 43)


def test_a_program_that_is_not_there_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("OHMLEARN_NGSPICE", str(tmp_path / "none"))
    with pytest.raises(NetlistError, match="no program that can be run"):
        find_ngspice()


def test_without_a_program_the_error_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.delenv("OHMLEARN_NGSPICE", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NetlistError, match="apt-get install ngspice"):
        find_ngspice()
    assert find_ngspice(required=False).path == ""


def test_a_library_asked_for_must_exist(monkeypatch, tmp_path):
    monkeypatch.setenv("NGSPICE_LIBRARY_PATH", str(tmp_path / "none.so"))
    assert find_ngspice(required=False).library == ""
    (tmp_path / "lib.so").touch()
    monkeypatch.setenv("NGSPICE_LIBRARY_PATH", str(tmp_path / "lib.so"))
    assert find_ngspice(required=False).library == str(tmp_path / "lib.so")
