"""How a comment sounds, by its words, in French and English.

The words and what they weigh are declared (`revoir.sentiment.words`), so that the same comment
sounds the same everywhere and always, and a company needs no past to begin with. Words are joined
by a handful of rules of grammar: negations turn what follows them, "very" and "a little" change its
weight, and what stands behind "but" counts more than what stood before.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache

from revoir.sentiment import words
from revoir.tables import NO_WORDS

NEGATIVE = -0.5
"""From here down a comment sounds negative."""
POSITIVE = 0.5
"""From here up it sounds positive."""
_SCALE = 3.0
"""The sum of weights of a comment that sounds as clear as one word of the strongest kind."""
_REACH = 3
"""Words that a negation turns."""
_STRONGER, _WEAKER, _GRANTED, _ASKED = 1.4, 0.6, 0.3, 0.5
_BEFORE, _AFTER = 0.6, 1.3
"""What a turn ("but") does to the weights before and after it."""
_TURNED = {True: -1.0, False: -0.6}
""""Not good" is bad; "not bad" is not quite as good as "good" (by whether the word is positive)."""
_SHORT = {language: frozenset(held.split()) for language, held in words.FUNCTION_WORDS.items()}
_LETTERS_MAX = 20_000
_CONTRACTED = re.compile(
    r"\b(ca|could|did|does|do|had|has|have|is|must|should|was|were|wo|would)nt\b"
)
_NOTHING = re.compile(
    r"(?:^|(?<=[.;!?]))[^.;!?:]*: ?(?:aucun|aucune|rien|neant|none|nothing)"
    r"(?: a signaler| to report)?(?= ?(?:[.;!?]|$))"
)
_TOKEN = re.compile(r"[a-z0-9_]+|[,:()]|[^\x00-\x7f]")
_WORD = re.compile(r"[a-z]+")
_KEY = 3
"""Letters that words are looked up by: stems are no shorter."""
_TOLD = re.compile(r"[a-z]{2}|[^\x00-\x7f]")
_NO_ADVERBS = ("friendly", "unfriendly", "lovely", "early", "lonely", "only")


@dataclass(frozen=True)
class _Lexicon:
    """The words of one language, or of both.

    Attributes:
        whole: Weight of each word and turn of phrase.
        stems: Weight of each beginning of a word.
        patterns: Turns of phrase in which a word may have any ending, and their weights.
        phrases: Finds words that are weighed together, by the first letters of the first one.
        roles: What part in the grammar a word has: `negations`, `stronger`, `weaker`, `turns`,
            `concessions` or `reproaches`.
    """

    whole: dict[str, float]
    stems: dict[str, float]
    patterns: tuple[tuple[re.Pattern[str], float], ...]
    phrases: dict[str, re.Pattern[str]]
    roles: dict[str, str]


def sentiment(text: str | None) -> float | None:
    """How a comment sounds.

    Args:
        text: The comment; French or English.

    Returns:
        From −1 (negative) to 1 (positive), in ten-thousandths; 0 where its words say nothing, None
        where there are no words.

    Examples:
        >>> sentiment("Très déçue, colis jamais reçu !"), sentiment("Not bad at all, well done.")
        (-0.959, 0.8232)
        >>> sentiment("Quels sont vos horaires ?"), sentiment("n/a")
        (0.0, None)
    """
    if text is None or text.strip().lower() in NO_WORDS:
        return None
    plain = _plain(text[:_LETTERS_MAX])
    if not _TOLD.search(plain):
        return None
    language = _language(plain)
    if language == "en":
        plain = _CONTRACTED.sub(r"\1 not", plain)
    plain = _NOTHING.sub("", plain)
    return round(math.tanh(math.fsum(_sums(_joined(plain, language), language)) / _SCALE), 4)


def _plain(text: str) -> str:
    """Small letters without accents, with a space for an apostrophe; contractions undone."""
    text = text.lower()
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("’", "'"))
        text = "".join(letter for letter in text if not unicodedata.combining(letter))
    text = re.sub(r"([a-z])\1{2,}", r"\1", text)  # "nuuul", "sooo"
    text = re.sub(r"n't\b", " not", text).replace("cannot", "can not").replace("'", " ")
    text = re.sub(r"[:;]-?\)", " 🙂 ", text)
    text = re.sub(r":-?\((?![a-z0-9])", " 🙁 ", text)
    text = re.sub(r"[\r\n]+", ". ", text)
    # Phrases are found whatever stands between their words but what ends a clause.
    text = re.sub(r"[\s\-–—\"«»*/_]+", " ", text)
    text = re.sub(r"(^|[.!?] ?)bon ?,", r"\1", text)  # a word to begin with
    return text


def _language(plain: str) -> str | None:
    """The language that most short words are of (None: neither more than the other)."""
    tokens = _WORD.findall(plain)
    french = sum(map(_SHORT["fr"].__contains__, tokens))
    english = sum(map(_SHORT["en"].__contains__, tokens))
    return None if french == english else "fr" if french > english else "en"


def _joined(plain: str, language: str | None) -> str:
    """A text with an underscore between words that are weighed together."""
    phrases = _lexicon(language).phrases
    parts, at = [], 0
    for word in _WORD.finditer(plain):
        pattern = phrases.get(word[0][:_KEY]) if word.start() >= at else None
        if pattern is not None and (found := pattern.match(plain, word.start())):
            parts += [plain[at : word.start()], found[0].replace(" ", "_")]
            at = found.end()
    return "".join([*parts, plain[at:]])


def _sums(joined: str, language: str | None) -> list[float]:
    """What the words of each sentence weigh together."""
    roles = _lexicon(language).roles
    sums: list[float] = []
    parts = [*re.split(r"([.;!?]+)", joined), ""]
    for sentence, end in zip(parts[::2], parts[1::2], strict=False):
        tokens = _TOKEN.findall(sentence)
        if sums and tokens and roles.get(tokens[0]) == "turns":
            sums[-1] *= _BEFORE
        weight = math.fsum(_weights(tokens, language))
        if "?" in end and not any(roles.get(token) == "reproaches" for token in tokens):
            weight *= _ASKED
        sums.append(weight)
    return sums


def _weights(said: list[str], language: str | None) -> list[float]:
    """What each word of a sentence weighs where it stands."""
    roles = _lexicon(language).roles
    found: list[float] = []
    negation, turned, granted, changed = "", 0, 0, 0
    factor, after = 1.0, 1.0
    before, bare, is_turned = "", False, False  # the word before: was it weighed, and not turned?
    for word in said:
        turned, granted, changed = turned - 1, granted - 1, changed - 1
        role, weight, was_bare = roles.get(word), None, bare
        if word in ",:()":
            turned = granted = changed = 0
        elif role == "turns":
            found = [weight * _BEFORE for weight in found]
            turned, changed, after = 0, 0, _AFTER
        elif role == "concessions":
            granted = 2 * _REACH
        elif role in ("stronger", "weaker"):
            factor = _STRONGER if role == "stronger" else _WEAKER
            changed = 2 if word in ("si", "so") else 3  # "si" asks as well
        elif word == "que" and negation in ("ne", "n"):
            turned = 0  # "ne … que" says "only"
        elif (weight := _weight(language, word)) is not None:
            if was_bare and before.endswith(("ment", "ly")) and before not in _NO_ADVERBS:
                # "Terribly sorry", "parfaitement inadmissible".
                found.pop()
                factor, changed = _STRONGER, 1
            is_turned = turned > 0 and not _is_negative(word, roles)
            weight *= _TURNED[weight > 0] if is_turned else 1.0
            weight *= factor if changed > 0 else 1.0
            found.append(weight * after * (_GRANTED if granted > 0 else 1.0))
            changed = 0
        bare = weight is not None and not is_turned
        if role == "negations":
            if word == "pas" and was_bare:  # "je recommande pas", as it is said
                found[-1] *= _TURNED[found[-1] > 0]
            negation, turned = word, _REACH + 1
        before = word
    return found


def _is_negative(token: str, roles: dict[str, str]) -> bool:
    """Whether a turn of phrase has its negation in it."""
    return any(roles.get(word) == "negations" for word in token.split("_"))


@lru_cache(maxsize=50_000)
def _weight(language: str | None, token: str) -> float | None:
    """What a word weighs (None: nothing is known of it)."""
    lexicon = _lexicon(language)
    if (found := lexicon.whole.get(token)) is not None:
        return found
    if "_" in token:
        return next((held for known, held in lexicon.patterns if known.fullmatch(token)), None)
    stems = (token[:end] for end in range(len(token), 2, -1))
    return next((lexicon.stems[stem] for stem in stems if stem in lexicon.stems), None)


@cache
def _lexicon(language: str | None) -> _Lexicon:
    languages = ("fr", "en") if language is None else (language,)
    known: dict[str, float] = {}
    for one in languages:
        for word, weight in _declared(words.FRENCH if one == "fr" else words.ENGLISH).items():
            # A word of both languages says no more than it does in either.
            other = known.get(word, weight)
            known[word] = min(weight, other, key=abs) if weight * other > 0 else 0.0
    for weight, signs in words.SIGNS.items():
        known |= dict.fromkeys(signs, weight)
    roles = {
        word: name.lower()
        for name in ("NEGATIONS", "STRONGER", "WEAKER", "TURNS", "CONCESSIONS", "REPROACHES")
        for one in languages
        for word in getattr(words, name)[one].split()
    }
    # The longest first: "jamais eu de problème" is one turn of phrase, not two.
    several = sorted((word for word in {**known, **roles} if "_" in word), key=len, reverse=True)
    together: dict[str, list[str]] = {}
    for word in several:
        together.setdefault(word.partition("_")[0][:_KEY].rstrip("*"), []).append(word)
    return _Lexicon(
        whole={word: weight for word, weight in known.items() if "*" not in word},
        stems={
            word[:-1]: weight
            for word, weight in known.items()
            if word.endswith("*") and "_" not in word
        },
        patterns=tuple(
            (re.compile(_pattern(word, "_")), known[word])
            for word in several
            if "*" in word and word in known
        ),
        phrases={
            key: re.compile(rf"(?:{'|'.join(_pattern(word, ' ') for word in theirs)})\b")
            for key, theirs in together.items()
        },
        roles=roles,
    )


def _pattern(phrase: str, between: str) -> str:
    return phrase.replace("_", between).replace("*", "[a-z]*")


def _declared(lines: str) -> dict[str, float]:
    """Word → weight, of a list as `revoir.sentiment.words` writes it."""
    found: dict[str, float] = {}
    for line in lines.strip().splitlines():
        weight, *held = line.split()
        found |= dict.fromkeys(held, float(weight))
    return found
