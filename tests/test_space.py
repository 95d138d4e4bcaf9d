"""A Hugging Face Space, as far as it can be had here: requirements.txt alone, another user, no network."""

import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import tomllib
from importlib.metadata import metadata, requires, version
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from rag.config import PROJECT

SPACE_USER = 1000
STARTS = ("first", "kept", "wiped")


def front_matter() -> dict[str, Any]:
    head = (PROJECT / "README.md").read_text(encoding="utf-8").split("---\n")[1]
    found: dict[str, Any] = yaml.safe_load(head)
    return found


def pins() -> dict[str, str]:
    lines = (PROJECT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return {name.lower(): pinned.split(" ;")[0] for name, _, pinned in (line.partition("==") for line in lines)}


def test_the_front_matter_is_what_a_space_needs() -> None:
    front = front_matter()
    assert front["sdk"] == "gradio" and front["app_file"] == "app.py"
    assert front["sdk_version"] == pins()["gradio"] == version("gradio")
    assert str(front["python_version"]) == "3.11"
    assert front["title"] and front["emoji"] and front["tags"] and front["models"]


def test_requirements_are_pinned_and_name_no_address() -> None:
    for name in ("requirements.txt", "requirements-test.txt"):
        for line in (PROJECT / name).read_text(encoding="utf-8").splitlines():
            assert re.fullmatch(r"-r requirements\.txt|[A-Za-z0-9._-]+==[^ /]+( ; .*)?", line), line
    declared = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    direct = {re.split(r"[^A-Za-z0-9_-]", line)[0].lower().replace("_", "-") for line in declared}
    assert direct <= {name.replace("_", "-") for name in pins()}


def test_the_pins_admit_debians_python_and_what_a_builder_adds() -> None:
    """Debian 12 has Python 3.11.2. A Space's builder installs gradio[oauth,mcp] in one command with requirements.txt."""
    pinned = pins()
    for name in pinned:
        assert SpecifierSet(metadata(name)["Requires-Python"] or "").contains("3.11.2"), name
    for requirement in map(Requirement, requires("gradio") or ()):
        added = not requirement.marker or any(requirement.marker.evaluate({"extra": extra}) for extra in ("mcp", "oauth"))
        if added and requirement.name.lower() in pinned:
            assert requirement.specifier.contains(pinned[requirement.name.lower()]), requirement


def open_to_others(path: Path) -> bool:
    """Whether a user who owns nothing can reach and read `path`."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in path.resolve().parents)


@pytest.fixture(scope="module")
def space_python() -> Path:
    """The Python of an environment made from requirements.txt alone; kept for the next run while the file is the same."""
    requirements = PROJECT / "requirements.txt"
    digest = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"jiphyeon-space-{os.getuid()}-{digest}"
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        candidates = [Path(sys.base_prefix) / "bin" / "python3", Path("/usr/bin/python3.11")]
        base = next((path for path in candidates if path.exists() and open_to_others(path)), candidates[0])
        subprocess.run([base, "-m", "venv", "--without-pip", folder], check=True)
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "--python", str(python)]
        subprocess.run([*pip, "install", "-r", str(requirements)], check=True)
        folder.chmod(0o755)
        (folder / "complete").touch()
    return python


@pytest.fixture(scope="module")
def lived(space_python: Path) -> dict[str, Any]:
    """What tests/space_lives.py saw: three starts, of which each costs many seconds."""
    root = os.getuid() == 0
    user = SPACE_USER if root and open_to_others(space_python) else 0
    with tempfile.TemporaryDirectory() as name:
        room = Path(name)
        room.chmod(0o755)
        app, home = room / "app", room / "home"
        home.mkdir()
        listed = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard"], cwd=PROJECT, capture_output=True, text=True, check=True
        )
        for file in filter(lambda file: (PROJECT / file).is_file(), listed.stdout.splitlines()):
            (app / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / file, app / file)
        if user:
            for path in (home, app, *app.rglob("*")):
                os.chown(path, user, user)
        namespace = ["unshare", "--net"] if root else ["unshare", "--user", "--map-root-user", "--net"]
        lives = [str(space_python), str(PROJECT / "tests" / "space_lives.py"), str(app), str(home), str(user)]
        ran = subprocess.run([*namespace, *lives], capture_output=True, text=True, timeout=540)
        assert ran.returncode == 0, ran.stderr + ran.stdout
    seen: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    for name in STARTS:
        figures = {key: round(seen[name][key], 1) for key in ("up", "answered", "peak_mb")}
        print(
            f"{name}: {figures}"
        )  # seconds from the start to the page, to two answers; MiB. On a busy machine these mean little
    return seen | {"user": user if root else os.getuid()}


@pytest.mark.parametrize("life", [*STARTS, "woken"])
def test_a_space_answers_in_each_of_its_lives(life: str, lived: dict[str, Any]) -> None:
    korean, english = lived[life]["answers"]
    assert korean["citations"][0]["document_id"] == "musk-v-openai-ko" and not korean["refused"]
    assert english["citations"][0]["document_id"] == "eu-ai-act-prohibited-en"
    assert {answer["mode"] for answer in (korean, english)} == {"extractive"}


@pytest.mark.parametrize("life", STARTS)
def test_a_start_is_within_what_a_space_allows(life: str, lived: dict[str, Any]) -> None:
    assert lived[life]["user"] == lived["user"]
    assert lived[life]["peak_mb"] < 1400  # the build included; the three encoders, Kiwi and torch are most of it
    assert lived[life]["answered"] < 180  # three times what is wanted: other work may share the cores


def test_what_the_disk_kept_is_used(lived: dict[str, Any]) -> None:
    assert lived["kept"]["same_index"] and not lived["wiped"]["wrote_beside_the_code"]


def test_a_secret_is_nowhere_and_changes_nothing_by_itself(lived: dict[str, Any]) -> None:
    """A key without a model; a key with a model whose package is not installed: quotes with a word on why."""
    assert not lived["kept"]["leaks"] and not lived["wiped"]["leaks"]
    same = ("text", "citations", "notice")
    for before, after in zip(lived["first"]["answers"], lived["kept"]["answers"], strict=True):
        assert [before[key] for key in same] == [after[key] for key in same] and after["notice"] == ""
    for before, after in zip(lived["first"]["answers"], lived["wiped"]["answers"], strict=True):
        assert after["citations"] == before["citations"] and "gpt-5.2" in after["notice"]
    assert "pip install" in lived["wiped"]["log"]  # how to mend it, to the deployer
