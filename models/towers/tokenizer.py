"""`hashed-ngrams-v1`: the words of a question as bucket numbers. Fixed by models/README.md; the program has the same."""

BUCKETS = 16384
IDS_MAX = 256

_OFFSET, _PRIME = 2166136261, 16777619


def fnv1a32(data: bytes) -> int:
    """FNV-1a, 32 bit."""
    value = _OFFSET
    for byte in data:
        value = ((value ^ byte) * _PRIME) & 0xFFFFFFFF
    return value


def words(text: str) -> list[str]:
    """Longest runs of characters that are ASCII letters or digits, or not ASCII, of the text in lower case."""
    found, run = [], []
    for char in text.lower():
        if (char.isascii() and char.isalnum()) or not char.isascii():
            run.append(char)
        elif run:
            found.append("".join(run))
            run = []
    if run:
        found.append("".join(run))
    return found


def pieces(text: str) -> list[str]:
    """The strings that are hashed, in the order in which their numbers are kept."""
    found = words(text)
    out = ["w" + word for word in found]
    out += ["b" + first + " " + second for first, second in zip(found, found[1:])]
    for word in found:
        wrapped = "<" + word + ">"
        for size in (3, 4, 5):
            out += ["g" + wrapped[i : i + size] for i in range(len(wrapped) - size + 1)]
    return out


def ids(text: str) -> list[int]:
    """At most `IDS_MAX` numbers from 1 to `BUCKETS` - 1; empty for a text without words."""
    return [1 + fnv1a32(piece.encode()) % (BUCKETS - 1) for piece in pieces(text)[:IDS_MAX]]
