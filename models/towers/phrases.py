"""Phrases: the words of training, put together from patterns, and the words of judgement, read as they stand."""

import gzip
import json
import re
from dataclasses import dataclass

import numpy as np

from . import tags, tokenizer
from .schema import MODELS, SERVICE_PLACE, SERVICES, SHARED

FOLDER = MODELS / "phrases"
FRAMES = (
    "show me {}|find {}|list {}|any {}|{} flows|{} connections|flows with {}|traffic of {}|is there {}|which hosts did {}|{} from outside|"
    "{} on the network|look for {}|examples of {}|what about {}|all {}|{} today|everything about {}|signs of {}|i want to see {}"
).split("|")
JOINTS = ("{0} {1}", "{1} {0}", "{0}, {1}", "{0} with {1}", "{1}: {0}", "{0} and {1}", "{0} that is {1}")
# Techniques whose description fits a behaviour (MITRE ATT&CK numbers).
TECHNIQUES = {
    "T1046": "scan", "T1595": "scan", "T1018": "scan", "T1110": "brute", "T1498": "flood", "T1499": "dos", "T1498.002": "amplification",
    "T1071": "c2", "T1071.004": "dns_tunnel", "T1095": "c2", "T1571": "c2", "T1573": "c2", "T1102": "c2", "T1572": "c2", "T1041": "upload",
    "T1048": "upload", "T1567": "upload", "T1021.001": "remote_desktop", "T1021.005": "remote_desktop", "T1190": "web_attack",
    "T1568.002": "nxdomain",
}
SENTENCE_WORDS_MIN, SENTENCE_WORDS_MAX = 4, 30


@dataclass(frozen=True)
class Phrase:
    """Words, and the tags that must all hold for an event to be what they describe."""

    words: str
    required: tuple[str, ...]


def judgement(name: str) -> list[Phrase]:
    """The phrases of `phrases/<name>.txt`, which training never sees."""
    return [Phrase(words, required) for required, words in _lines(f"{name}.txt")]


def required_rows(phrases: list[Phrase]) -> np.ndarray:
    """Which tags each phrase requires, [phrases, tags] of 0 and 1."""
    rows = np.zeros((len(phrases), len(tags.TAGS)), np.int8)
    for row, phrase in zip(rows, phrases):
        row[[tags.PLACE[tag] for tag in phrase.required]] = 1
    return rows


def id_rows(texts: list[str], width: int = 160) -> np.ndarray:
    """Bucket numbers [texts, width], 0 where there is none."""
    rows = np.zeros((len(texts), width), np.int32)
    for row, text in zip(rows, texts):
        found = tokenizer.ids(text)[:width]
        row[: len(found)] = found
    return rows


class Grammar:
    """Draws training phrases. Whatever equals a phrase of judgement is thrown away and counted in `refused`."""

    def __init__(self, rng: np.random.Generator, use_shared: bool = True):
        self.rng, self.refused = rng, 0
        self.patterns: dict[tuple[str, ...], list[str]] = {}
        for required, pattern in _lines("train.txt"):
            self.patterns.setdefault(required, []).append(pattern)
        self.services = _service_words()
        self.texts = list(_shared_texts()) if use_shared else []
        self.behaviours = [k for k in self.patterns if not k[0].startswith(("prop:", "proto:"))]
        self.properties = [k for k in self.patterns if k[0].startswith("prop:")]
        self.protocols = [k for k in self.patterns if k[0].startswith("proto:")]
        self.forbidden = {" ".join(tokenizer.words(p.words)) for name in ("test", "validation") for p in judgement(name)}

    def draw(self) -> Phrase:
        """One phrase."""
        while True:
            required, words = self._compose()
            words = self._disturbed(self._one(FRAMES).format(words) if self.rng.random() < 0.45 else words)
            if " ".join(tokenizer.words(words)) in self.forbidden:
                self.refused += 1
            elif tokenizer.words(words):
                return Phrase(words, tuple(sorted(set(required))))

    def _compose(self) -> tuple[tuple[str, ...], str]:
        kind = self.rng.random()
        if kind < 0.05 and self.texts:
            phrase = self._one(self.texts)
            return phrase.required, phrase.words
        if kind < 0.60:
            return self._core(self.behaviours)
        if kind < 0.74:
            return self._core(self.properties)
        if kind < 0.79:
            return self._service()
        if kind < 0.81:
            return self._core(self.protocols)
        first = self._core(self.behaviours) if self.rng.random() < 0.75 else self._core(self.properties)
        second = self._service() if self.rng.random() < 0.35 else self._core(self.properties)
        return first[0] + second[0], self._one(JOINTS).format(first[1], second[1])

    def _core(self, keys) -> tuple[tuple[str, ...], str]:
        required = self._one(keys)
        return required, self._expanded(self._one(self.patterns[required]))

    def _service(self) -> tuple[tuple[str, ...], str]:
        name = self._one(list(self.services))
        return (f"svc:{name}",), self._one(self.services[name])

    def _expanded(self, pattern: str) -> str:
        choose = lambda match: self._one(match.group(1).split("|"))
        return " ".join(re.sub(r"\{([^}]*)\}", choose, pattern).split())

    def _disturbed(self, text: str) -> str:
        """At times a word is missing or two letters are swapped, as people type."""
        found = text.split()
        if len(found) > 3 and self.rng.random() < 0.25:
            del found[int(self.rng.integers(len(found)))]
        if self.rng.random() < 0.08:
            place = int(self.rng.integers(len(found)))
            word = found[place]
            if len(word) > 4:
                cut = int(self.rng.integers(1, len(word) - 2))
                found[place] = word[:cut] + word[cut + 1] + word[cut] + word[cut + 2 :]
        return " ".join(found)

    def _one(self, items):
        return items[int(self.rng.integers(len(items)))]


def _lines(name: str):
    for line in (FOLDER / name).read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            required, words = line.split("|", 1)
            yield tuple(required.split()), words.strip()


def _service_words() -> dict[str, list[str]]:
    words: dict[str, list[str]] = {}
    for name, place in SERVICE_PLACE.items():
        if place:
            words.setdefault(SERVICES[place][0], []).append(name)
    for (name,), more in _lines("services.txt"):
        words[name] += [word.strip() for word in more.split(",")]
    return words


def _shared_texts():
    """Titles and first sentences about techniques and rules, where the public texts are present."""
    path = SHARED / "queries" / "security_texts.jsonl.gz"
    if not path.exists():
        return
    with gzip.open(path, "rt") as lines:
        for line in lines:
            text = json.loads(line)
            numbers = [text["id"].removeprefix("attack:")]
            numbers += [tag.removeprefix("attack.").upper() for tag in text.get("tags") or []] + list(text.get("attack") or [])
            tag = next((TECHNIQUES.get(n) or TECHNIQUES.get(n.split(".")[0]) for n in numbers if n.split(".")[0] in TECHNIQUES), None)
            if tag:
                for words in (text.get("title"), (text.get("text") or "").split(". ")[0]):
                    if words and len(words.split()) >= SENTENCE_WORDS_MIN:
                        yield Phrase(" ".join(words.split()[:SENTENCE_WORDS_MAX]), (tag,))
