"""How well texts were read, whatever the order of their lines: characters by error rate, words by F1.

Both sides are folded first: compatibility forms (NFKC) to plain ones, capitals to small letters.

- **Character error rate**: characters without spaces, as two bags; the larger of "missing" and "too many", by the
  number of characters that there are. 0 is best; more than 1 where much is read that is not there.
- **Word F1**: words between spaces, as two bags; twice what they share by the words of both. 1 is best.

A group is scored as one text: long pages weigh more than single words.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Score:
    """Counts that add up over pictures."""

    wrong: int = 0  # characters
    characters: int = 0
    shared: int = 0  # words
    words: int = 0  # of both sides

    def __add__(self, other: "Score") -> "Score":
        return Score(
            self.wrong + other.wrong,
            self.characters + other.characters,
            self.shared + other.shared,
            self.words + other.words,
        )

    @property
    def error_rate(self) -> float:
        return self.wrong / self.characters

    @property
    def f1(self) -> float:
        return 2 * self.shared / self.words


def score(wanted: Sequence[str], read: Sequence[str]) -> Score:
    """Compares the lines of one picture."""
    characters, found = _characters(wanted), _characters(read)
    both = (characters & found).total()
    words, found_words = _words(wanted), _words(read)
    return Score(
        max(characters.total(), found.total()) - both,
        characters.total(),
        (words & found_words).total(),
        words.total() + found_words.total(),
    )


def _folded(line: str) -> str:
    return unicodedata.normalize("NFKC", line).lower()


def _characters(lines: Iterable[str]) -> Counter[str]:
    return Counter(character for line in lines for character in _folded(line) if not character.isspace())


def _words(lines: Iterable[str]) -> Counter[str]:
    return Counter(word for line in lines for word in _folded(line).split())
