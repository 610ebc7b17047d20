"""The house rules that a machine can see: names, lengths, exports, docs, imports, catalogues, the wheel."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import zipfile
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("listener", "sentiment", "stakeholders")
MODULES = sorted(
    path
    for room in ROOMS
    for path in (ROOT / room).rglob("*.py")
    if "versions" not in path.parts and path.name != "env.py"
)
FORBIDDEN = ("util", "utils", "helper", "helpers", "common", "base", "manager", "misc", "models")
LONGEST = 330


def dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_the_top_level_is_what_the_house_says() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    top = {name.split("/")[0] for name in tracked}
    allowed = {*ROOMS, "dashboard.py", "config.toml", "pyproject.toml", "tests", "README.md", "README.es.md", "LICENSE"}
    allowed |= {"CHANGELOG.md", "CONTRIBUTING.md", "Makefile", "docs", "bench", "deploy", ".ci", ".gitignore"}
    allowed |= {"requirements.lock", "requirements-dev.lock"}
    assert top <= allowed


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_a_file_is_short_and_its_name_says_what_it_holds(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= LONGEST
    assert not set(path.stem.split("_")) & set(FORBIDDEN)


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_exports_are_exact_and_sorted(path: Path, request: pytest.FixtureRequest) -> None:
    text = path.read_text("utf-8")
    if "\nimport torch\n" in text:  # training alone
        request.getfixturevalue("torch")
    tree = ast.parse(text)
    module = import_module(dotted(path))
    exported = getattr(module, "__all__", None)
    assert exported is not None, "no __all__"
    assert list(exported) == sorted(exported, key=_ruff_order)
    assert all(hasattr(module, name) for name in exported)
    if path.name == "__init__.py":
        return  # a package exports what it imports, too
    public = {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    }
    assert public <= set(exported)


def _ruff_order(name: str) -> tuple[int, str]:
    """Order as ruff's RUF022 does: constants, then classes, then functions."""
    return (0 if name.isupper() else 1 if name[:1].isupper() else 2, name)


@pytest.mark.parametrize("room", ROOMS)
def test_importing_a_room_brings_neither_torch_nor_streamlit(room: str) -> None:
    code = f"import sys, {room}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for heavy in ("torch", "streamlit", "tweepy", "praw", "matplotlib", "pandas", "numpy", "sqlalchemy", "fastapi"):
        assert heavy not in loaded.split(), heavy


def test_no_page_of_the_dashboard_is_needed_to_import_any_module_of_the_rooms() -> None:
    apart = {"pages", "training"}  # training is torch's own, and nothing else imports it
    names = [dotted(path) for path in MODULES if not apart & set(path.parts)]
    code = "import sys, importlib\nfor name in sys.argv[1:]: importlib.import_module(name)\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, *names], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not {"torch", "streamlit"} & set(done.stdout.split())


def test_help_answers_at_once() -> None:
    """About 0.2 s where a bare Python takes 0.007 s: a ratio of processor time, the best of several turns of each."""
    script = Path(sys.executable).with_name("escucha")
    command = [str(script)] if script.exists() else [sys.executable, "-m", "listener"]
    code = (
        "import resource, subprocess, sys\n"
        "def spent():\n"
        "    used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "    return used.ru_utime + used.ru_stime\n"
        "def best(*command):\n"
        "    turns = []\n"
        "    for _ in range(5):\n"
        "        began = spent()\n"
        "        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)\n"
        "        turns.append(spent() - began)\n"
        "    return min(turns)\n"
        "print(best(*sys.argv[1:], '--help') / max(best(sys.executable, '-c', 'pass'), 0.001))"
    )
    done = subprocess.run([sys.executable, "-c", code, *command], cwd=ROOT, capture_output=True, text=True, check=True)
    assert float(done.stdout) < 35


def test_every_verb_is_documented() -> None:
    from listener.cli import app

    text = (ROOT / "docs" / "cli.md").read_text("utf-8")
    names = [command.name for command in app.registered_commands]
    assert len(names) >= 12
    assert [name for name in names if f"`escucha {name}" not in text] == []


def test_every_source_has_its_page_its_test_and_its_table_in_the_example() -> None:
    from listener.sources import kinds

    example = (ROOT / "config.toml").read_text("utf-8")
    for kind in kinds():
        assert (ROOT / "docs" / "sources" / f"{kind}.md").exists(), kind
        assert (ROOT / "tests" / "listener" / "sources" / f"test_{kind}.py").exists(), kind
        assert f'kind = "{kind}"' in example, kind


def _sentences() -> set[str]:
    """Collect every sentence that is marked for the catalogues; also inside f-strings, which Babel passes over."""
    found: set[str] = set()
    for path in [*MODULES, ROOT / "dashboard.py"]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or not node.args:
                continue
            first = node.args[0]
            if node.func.id in ("N_", "reason") and isinstance(first, ast.Constant) and isinstance(first.value, str):
                found.add(first.value)
    return found


@pytest.mark.parametrize("lang", ["es", "pt"])
def test_every_sentence_is_translated_and_keeps_its_facts(lang: str) -> None:
    from listener.reason import words

    known = words(lang)
    sentences = _sentences()
    assert len(sentences) > 200
    assert sorted(sentences - set(known)) == []
    for sentence in sentences:
        assert set(re.findall(r"\{(\w+)", sentence)) == set(re.findall(r"\{(\w+)", known[sentence])), sentence


@pytest.mark.parametrize("lang", ["es", "pt"])
def test_a_catalogue_holds_nothing_that_nobody_says(lang: str) -> None:
    from listener.reason import words

    assert sorted(set(words(lang)) - _sentences()) == []


def test_the_wheel_holds_the_three_rooms_and_the_frame_and_nothing_else(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    top = {name.split("/")[0] for name in names}
    assert {name for name in top if not name.endswith(".dist-info")} == {*ROOMS, "dashboard.py"}
    for needed in ("listener/config.toml", "listener/locale/es.po", "listener/demo/posts.jsonl"):
        assert needed in names


def test_no_path_of_a_machine_and_no_registry_host_stands_in_the_project() -> None:
    pattern = r"(^|[^[:alnum:]_.~-])/(work|root|home)/[[:alnum:]_.]|py[p]i[.]org|python[h]osted[.]org"
    done = subprocess.run(["git", "grep", "-nIE", pattern, "--", "."], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == ""


def test_strangers_text_is_never_given_to_an_element_that_reads_markup() -> None:
    """Only constants may go to st.markdown and its kin in the pages; nothing unsafe is ever allowed."""
    for path in (ROOT / "stakeholders" / "pages").rglob("*.py"):
        assert "unsafe_allow_html=True" not in path.read_text("utf-8"), path
