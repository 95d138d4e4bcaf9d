"""The rules between the rooms."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from rag.config import PROJECT, Settings

ROOMS = ("rag", "ingest", "evals", "app.py")


def imports(path: Path) -> set[str]:
    """Every module that the file imports, at any depth of its code."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def files(room: str) -> list[Path]:
    path = PROJECT / room
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


@pytest.mark.parametrize(
    ("room", "forbidden"), [("rag", {"ingest", "evals", "app"}), ("ingest", {"evals", "app"}), ("evals", {"ingest", "app"})]
)
def test_rooms_import_only_what_they_may(room: str, forbidden: set[str]) -> None:
    for path in files(room):
        assert not {name.split(".")[0] for name in imports(path)} & forbidden, path


def test_only_the_ui_imports_gradio() -> None:
    for room in ROOMS:
        for path in files(room):
            if (PROJECT / "rag" / "ui") not in path.parents:
                assert not {name for name in imports(path) if name.split(".")[0] == "gradio"}, path


def test_only_config_reads_the_environment() -> None:
    for room in ROOMS:
        for path in files(room):
            if path != PROJECT / "rag" / "config.py":
                source = path.read_text(encoding="utf-8")
                assert "os.environ" not in source and "getenv" not in source, path


def test_under_twenty_settings() -> None:
    assert len(Settings.model_fields) < 20


def test_importing_the_package_is_cheap() -> None:
    """No model, no Chroma, no gradio: they cost seconds."""
    code = "import sys, rag, rag.embed; print([m for m in ('torch', 'chromadb', 'gradio', 'sentence_transformers') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PROJECT)
    assert found.stdout.strip() == "[]"
