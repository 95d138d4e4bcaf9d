"""Five documents, questions on them and what answers these: enough for a whole run of `python -m evals` in seconds."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from rag.config import PROJECT

TEXTS = {
    "fines-ko": "---\nlang: ko\npair: fines-en\n---\n# 과태료\n\n과태료의 개요입니다.\n\n## 금액\n\n과태료는 3천만 원 이하입니다.\n\n## 유예\n\n유예 기간은 1년입니다.\n",
    "fines-en": "---\nlang: en\npair: fines-ko\n---\n# Fines\n\nAn outline of the fines.\n\n## Amount\n\nThe fine is at most KRW 30 million.\n\n## Grace\n\nThe grace period is one year.\n",
    "letter": "# The open letter\n\n## Demand\n\nThe letter asked all laboratories to pause for at least six months.\n",
    "summit": "# 정상회의\n\n## 개최\n\n정상회의는 2024년 5월 서울에서 열렸습니다.\n",
    "drones": "# Farm drones\n\n## Cost\n\nSpraying one hectare by drone costs 40,000 won.\n",
}
QUESTIONS: list[dict[str, Any]] = [
    {"id": "fine", "question": "What is the maximum fine?", "nuggets": [["KRW 30 million"]]},
    {"id": "벌금", "question": "과태료는 최대 얼마인가요?", "nuggets": [["3천만 원"]]},
    {"id": "pause", "question": "공개서한은 얼마 동안 멈추라고 했나요?", "pair": "ko-en", "nuggets": [["at least six months"]]},
    {"id": "stew", "question": "How do I cook kimchi stew?", "kind": "unanswerable-far"},
    {"id": "plain", "question": "When was the summit in Seoul?"},
]
QRELS = "fine 0 fines-en#1 1\n벌금 0 fines-en#1 1\npause 0 letter#1 1\n"


def lay_out(folder: Path) -> None:
    """Write them into `folder`: corpus/, questions.jsonl and qrels.txt."""
    (folder / "corpus").mkdir()
    for name, text in TEXTS.items():
        (folder / "corpus" / f"{name}.md").write_text(text, encoding="utf-8")
    (folder / "questions.jsonl").write_text("\n".join(json.dumps(line) for line in QUESTIONS), encoding="utf-8")
    (folder / "qrels.txt").write_text(QRELS, encoding="utf-8")


def evals(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "evals", *map(str, arguments)]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
