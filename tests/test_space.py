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
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

from rag.config import PROJECT

SPACE_USER = 1000

# Runs inside a network namespace of its own, in which there is only loopback.
PROBE = """
import fcntl, json, os, socket, struct, subprocess, sys, time, urllib.request
app, home, user = sys.argv[1], sys.argv[2], int(sys.argv[3])
with socket.socket() as s:
    fcntl.ioctl(s, 0x8914, struct.pack("16sh", b"lo", 0x41))  # SIOCSIFFLAGS: up, running
try:
    socket.create_connection(("192.0.2.1", 80), 2)
    raise SystemExit("the network is not cut off")
except OSError:
    pass
environment = {"HOME": home, "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "GRADIO_SERVER_PORT": "7860", "SPACE_ID": "jiphyeon/test"}
who = {"user": user, "group": user, "extra_groups": []} if os.getuid() == 0 else {}
begun = time.monotonic()
server = subprocess.Popen([sys.executable, "app.py"], cwd=app, env=environment, **who)
try:
    while True:
        try:
            page = urllib.request.urlopen("http://127.0.0.1:7860/", timeout=5).status
            break
        except OSError:
            if server.poll() is not None or time.monotonic() - begun > 120:
                raise SystemExit(f"the page did not come up (exit code {server.poll()})")
            time.sleep(0.1)
    up = time.monotonic() - begun
    ask = (
        "import json; from gradio_client import Client; client = Client('http://127.0.0.1:7860', verbose=False);"
        "print(json.dumps([client.predict(question, api_name='/ask') for question in"
        " ('왜 머스크는 소송을 냈나?', 'Which practices does Article 5 ban?')]))"
    )
    asked = subprocess.run([sys.executable, "-c", ask], env=environment, capture_output=True, text=True, cwd=home, **who)
    if asked.returncode:
        raise SystemExit(asked.stderr)
    peak = next(int(line.split()[1]) for line in open(f"/proc/{server.pid}/status") if line.startswith("VmHWM"))
    owner = os.stat(f"/proc/{server.pid}").st_uid
    print(json.dumps({"page": page, "up": up, "answered": time.monotonic() - begun, "peak_mb": peak // 1024, "user": owner,
                      "answers": json.loads(asked.stdout)}))
finally:
    server.terminate()
    server.wait(20)
"""


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


def test_a_space_starts_and_answers(space_python: Path) -> None:
    user = SPACE_USER if os.getuid() == 0 and open_to_others(space_python) else os.getuid()
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
        if user != os.getuid():
            for path in (home, app, *app.rglob("*")):
                os.chown(path, user, user)
        namespace = ["unshare", "--net"] if os.getuid() == 0 else ["unshare", "--user", "--map-root-user", "--net"]
        probe = subprocess.run(
            [*namespace, str(space_python), "-c", PROBE, str(app), str(home), str(user)],
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert probe.returncode == 0, probe.stderr + probe.stdout
    found = json.loads(probe.stdout.splitlines()[-1])
    print({key: value for key, value in found.items() if key != "answers"})
    korean, english = found["answers"]
    assert found["page"] == 200 and found["user"] == user
    assert korean["citations"][0]["document_id"] == "musk-v-openai-ko" and not korean["refused"]
    assert english["citations"][0]["document_id"] == "eu-ai-act-prohibited-en"
    assert found["peak_mb"] < 1300  # the build included; the two encoders, Kiwi and torch are most of it
