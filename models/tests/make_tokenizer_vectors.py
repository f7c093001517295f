"""Writes query-256/tokenizer_vectors.json: texts and the bucket numbers any implementation must give for them."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from towers import tokenizer
from towers.schema import MODELS

TEXTS = [
    "",
    "   ...  ",
    "a",
    "ssh",
    "SSH Logins that FAILED, again and again!",
    "slow-loris against the web server",
    "over 10 MB in 3.5 minutes",
    "port_scan of 10.0.0.0/8",
    "café größer ÄÖÜ ΣΊΣΥΦΟΣ",
    "日本語 のトラフィック",
    "naïve e\u0301 emoji 🙂 end",
    "tab\tand\nnewline",
    "x" * 120,
    " ".join(f"word{i}" for i in range(200)),
]


def main() -> None:
    """Writes the file."""
    vectors = [{"text": text, "ids": tokenizer.ids(text)} for text in TEXTS]
    body = ",\n".join("  " + json.dumps(v, ensure_ascii=False) for v in vectors)
    path = MODELS / "query-256" / "tokenizer_vectors.json"
    path.write_text("[\n" + body + "\n]\n", encoding="utf-8")
    print(f"{path}: {len(vectors)} texts")


if __name__ == "__main__":
    main()
