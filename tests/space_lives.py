"""What a Space lives through, run as a script where there is only loopback: APP HOME USER. Prints what was seen, as JSON.

Three lives of one machine: born with an empty disk and put to sleep in the middle; killed, and begun again with what the disk
kept; begun again with the disk empty and the project read-only.
"""

import fcntl
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from gradio_client import Client

PORT = 7860
PAGE = f"http://127.0.0.1:{PORT}/"
QUESTIONS = ("왜 머스크는 소송을 냈나?", "Which practices does Article 5 ban?")
SERVED = ("", "config", "gradio_api/info", "gradio_api/openapi.json")
KEY = "sk-this-is-nobodys-key"
PATIENCE = 180  # seconds until the page is there


def cut_off() -> None:
    """Bring loopback up, and make sure that it is all there is."""
    with socket.socket() as s:
        fcntl.ioctl(s, 0x8914, struct.pack("16sh", b"lo", 0x41))  # SIOCSIFFLAGS: up, running
    try:
        socket.create_connection(("192.0.2.1", 80), 2)
    except OSError:
        return
    raise SystemExit("the network is not cut off")


class Life:
    """One start of the process, in the environment that a Space gives it and nothing of ours."""

    def __init__(self, app: Path, home: Path, user: int, **environment: str) -> None:
        given = {
            "HOME": str(home),
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "GRADIO_SERVER_PORT": str(PORT),
            "SPACE_ID": "a/b",
        }
        self.log = home.parent / "log"
        self.begun = time.monotonic()
        who: dict[str, Any] = {"user": user, "group": user, "extra_groups": []} if user else {}
        # Root in a namespace of its own could write where it must not.
        powerless = [] if user else ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
        with self.log.open("w") as out:
            self.server = subprocess.Popen(
                [*powerless, sys.executable, "app.py"], cwd=app, env=given | environment, stdout=out, stderr=out, **who
            )
        while True:
            try:
                urllib.request.urlopen(PAGE, timeout=5).close()
                break
            except OSError:
                if self.server.poll() is not None or time.monotonic() - self.begun > PATIENCE:
                    raise SystemExit(f"the page did not come up: {self.log.read_text()}") from None
                time.sleep(0.1)
        self.up = time.monotonic() - self.begun

    def answers(self) -> list[Any]:
        """What each of the questions is answered."""
        client = Client(PAGE, verbose=False)
        try:
            return [client.predict(question, api_name="/ask") for question in QUESTIONS]
        finally:
            client.close()

    def seen(self) -> dict[str, Any]:
        """The answers, how long they and the page took from the start, whose process it is and its highest memory."""
        answers = self.answers()
        answered = time.monotonic() - self.begun
        status = Path(f"/proc/{self.server.pid}/status").read_text()
        peak = next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM"))
        owner = Path(f"/proc/{self.server.pid}").stat().st_uid
        return {"answers": answers, "up": self.up, "answered": answered, "peak_mb": peak, "user": owner}

    def told(self) -> str:
        """All that anybody can read: the page, its configuration, the API's schemas, what the server printed."""
        pages = [urllib.request.urlopen(PAGE + path, timeout=30).read().decode() for path in SERVED]
        return "\n".join([*pages, self.log.read_text()])

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        self.server.send_signal(how)
        self.server.wait(20)


def main() -> None:
    app, home, user = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    cut_off()
    seen: dict[str, Any] = {}

    first = Life(app, home, user)
    seen["first"] = first.seen()
    first.server.send_signal(signal.SIGSTOP)
    time.sleep(3)
    first.server.send_signal(signal.SIGCONT)
    seen["woken"] = {"answers": first.answers()}
    first.end(signal.SIGKILL)
    index = app / "index"
    built = (index / "CURRENT").read_text()

    second = Life(app, home, user, OPENAI_API_KEY=KEY)
    seen["kept"] = second.seen() | {"same_index": (index / "CURRENT").read_text() == built, "leaks": KEY in second.told()}
    second.end()

    shutil.rmtree(index)
    for path in home.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in (app, *app.rglob("*")):
        os.chown(path, os.getuid(), os.getgid())
        path.chmod(0o555 if path.is_dir() else 0o444)
    third = Life(app, home, user, OPENAI_API_KEY=KEY, JIPHYEON_CHAT_MODEL="openai:gpt-5.2")
    seen["wiped"] = third.seen() | {
        "leaks": KEY in third.told(),
        "log": third.log.read_text(),
        "wrote_beside_the_code": index.exists(),
    }
    third.end()
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
