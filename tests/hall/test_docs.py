"""The documents: commands parse, code runs, generated pages are fresh, links lead somewhere."""

import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from ohmlearn.cli import app
from ohmlearn.experiment import parse_experiment

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
GENERATED = ("experiments.md", "devices.md", "periphery.md")

# Written in two parts, so that this file does not find itself.
MACHINE_PATHS = re.compile("|".join("/" + p for p in ("work/", "root/", r"home/\w", r"Users/\w")))
TEXT = {".md", ".py", ".toml", ".sh", ".json", ".cff", ""}
FOLDERS = (
    *("src/ohmlearn", "devices", "crossbar", "circuits", "training", "spice_netlists"),
    *("tests", "docs", "examples", "benchmarks", ".ci"),
)


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def ohmlearn_calls() -> list[list[str]]:
    """Return the arguments of every call of ohmlearn in a shell block or in running text."""
    shell = [part for block in blocks("sh") for part in re.split(r"&&|\n", block)]
    inline = re.findall(r"`(ohmlearn [^`]*)`", "\n".join(p.read_text("utf-8") for p in PAGES))
    words = (shlex.split(call) for call in (*shell, *inline))
    return [w[1:] for w in words if w and w[0] in ("ohmlearn", ".venv/bin/ohmlearn")]


def written_files() -> list[Path]:
    # In a work tree of Git's, .git is a file that names the repository it belongs to.
    top = (path for path in ROOT.iterdir() if path.name != ".git")
    found = [path for path in top if path.is_file() and path.suffix in TEXT]
    for folder in FOLDERS:
        found += [
            path
            for path in (ROOT / folder).rglob("*")
            if path.is_file() and path.suffix in TEXT and "__pycache__" not in path.parts
        ]
    return found


@pytest.mark.parametrize("name", GENERATED)
def test_a_generated_page_is_what_its_program_writes(name):
    fresh = runpy.run_path(str(ROOT / "docs" / "make_reference.py"))["reference"]()
    stored = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert stored == fresh[name], "stale: run python docs/make_reference.py"


def test_the_first_two_commands_are_one_line_of_shell_each():
    # .ci/run and a reader on a fresh machine run exactly these.
    first, second, *_ = blocks("sh")
    for command in (first, second):
        assert len(command.splitlines()) == 1
        subprocess.run(["bash", "-n", "-c", command], check=True)
    scripts = re.findall(r"bash (\S+)", first + second)
    assert len(scripts) == 2
    for script in scripts:
        subprocess.run(["bash", "-n", str(ROOT / script)], check=True)


@pytest.mark.parametrize("call", ohmlearn_calls(), ids=" ".join)
def test_a_command_of_the_documents_is_one_that_ohmlearn_knows(call):
    group = typer.main.get_command(app)
    arguments = [a for a in call if a != "--help"]
    with group.make_context("ohmlearn", list(arguments)) as context:
        name, command, rest = group.resolve_command(context, arguments)  # pyright: ignore
        command.make_context(name, rest, parent=context).close()


def test_the_documents_show_every_verb():
    verbs = {call[0] for call in ohmlearn_calls()}
    assert verbs >= set(typer.main.get_command(app).commands)  # pyright: ignore


def test_the_example_experiment_is_valid():
    (text,) = blocks("toml")
    experiment = parse_experiment(text, "README.md")
    assert experiment.run.level == "device"


def test_the_python_example_runs(tmp_path):
    (code,) = blocks("python")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "runs" / "from-python" / "record.json").exists()
    accuracy, pulses = map(float, done.stdout.splitlines()[0].split())
    assert 0 <= accuracy <= 1
    assert pulses > 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    for link in links:
        assert link.startswith("https://") or (page.parent / link).exists(), link


def test_files_named_in_the_readme_exist():
    names = re.findall(r"`((?:src|docs|examples|training|devices|tests|\.ci)/[\w./-]*)`", README)
    assert len(names) > 3
    for name in names:
        assert (ROOT / name).exists(), name


def test_no_file_names_a_path_of_somebodys_machine():
    files = written_files()
    assert len(files) > 100
    for path in files:
        found = MACHINE_PATHS.search(path.read_text(encoding="utf-8"))
        assert found is None, f"{path.relative_to(ROOT)}: {found}"
