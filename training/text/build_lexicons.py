"""Build model_repository/text_toxicity/1/lexicons from the public word lists and our own entries.

    python -m training.text.build_lexicons --data DATA

Public entries are kept by what they do on training data: an entry of SexHateLex or LDNOOBW that is common
in inoffensive comments or everyday messages is dropped, and none of the Chinese ones is strong. Strong English
ones are surge's severe entries that never occur in everyday messages. The result is sorted, so a rebuild is the same.
"""

from __future__ import annotations

import argparse
import csv
import random
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import ahocorasick
import yaml

from gatepost_server.domain.labels import Category
from gatepost_server.text.normalize import compact, normalize
from gatepost_server.text.pinyin import sound
from training.text import compose, data

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
OUT = REPOSITORY / "model_repository/text_toxicity/1/lexicons"

_HAN = re.compile("[\u3400-\u9fff]")
_SEXUAL = re.compile("[屄屌奶乳淫肏奸嫖妓鸡射精阴臀裸色]|逼$|做爱|性|口交|肛|鸡巴|约炮|高潮")
_POLITICAL = re.compile(
    "共匪|共产|政府|台独|港独|法轮|习近|毛泽|六四|汉奸|国军|毛主席|政治|共贼|民主|独立|台蛙|专制|独裁|共狗|五毛|粉红|中共|国民党|共党|鞑虏|满清|反华|辱华"
)
_SURGE = {
    "sexual anatomy / sexual acts": Category.SEXUAL,
    "racial / ethnic slurs": Category.HATE,
    "sexual orientation / gender": Category.HATE,
    "bodily fluids / excrement": Category.INSULT,
    "other / general insult": Category.INSULT,
    "religious offense": Category.INSULT,
    "mental disability": Category.INSULT,
    "animal references": Category.INSULT,
    "physical attributes": Category.INSULT,
    "physical disability": Category.INSULT,
}
_SWEARING = re.compile("f+.?u*c+k|shit|bitch|ass|damn|fuk|cunt|twat|bastard|wank")
_SEVERE = 1.9  # of surge's 1 to 3

Row = tuple[str, str, str, str]  # term, strength, sounds, source
Entries = dict[Category, dict[str, Row]]


def own_entries() -> Entries:
    """Our own words (words/lexicon.yaml)."""
    document = yaml.safe_load((HERE / "words/lexicon.yaml").read_text(encoding="utf-8"))
    entries: Entries = {category: {} for category in Category}
    for name, lists in document.items():
        category = Category(name)
        sounding = {_term(word) for word in lists.get("sounds", "").split()}
        strong = [*lists["strong"].split(), *_phrases(lists, "phrases"), *_phrases(lists, "extra"), *sorted(sounding)]
        for word, strength in [(w, "weak") for w in lists["weak"].split()] + [(w, "strong") for w in strong]:
            term = _term(word)
            entries[category][term] = (term, strength, str(int(term in sounding)), "gatepost")
    _keep_one(entries)
    return entries


def _keep_one(entries: Entries) -> None:
    """One category for a term, since a spelling finds one entry: the first in which it is strong, or else the first."""
    homes: dict[str, Category] = {}
    for category, rows in entries.items():
        for term, row in rows.items():
            if term not in homes or (row[1] == "strong" and entries[homes[term]][term][1] == "weak"):
                homes[term] = category
    for category, rows in entries.items():
        for term in [term for term in rows if homes[term] is not category]:
            del rows[term]


def add_chinese(entries: Entries, folder: Path, data_folder: Path) -> None:
    """Weak entries from SexHateLex and LDNOOBW that tell offensive comments from inoffensive ones."""
    sources = {"sexhatelex": folder / "sexhatelex_zh.txt", "ldnoobw": folder / "ldnoobw_zh.txt"}
    words: dict[str, str] = {}
    for source, path in sources.items():
        for line in path.read_text(encoding="utf-8").splitlines():
            term = _term(line)
            if len(_HAN.findall(term)) >= 2 and not _POLITICAL.search(term):
                words.setdefault(term, source)
    comments = data.read_cold(data_folder)
    offensive = _hits(words, (text for text, label in comments if label == 1))
    harmless = _hits(words, (text for text, label in comments if label == 0))
    everyday = _hits(words, data.read_zh_messages(data_folder))
    for term, source in words.items():
        if everyday[term] > 2 or harmless[term] > 0.6 * offensive[term]:
            continue
        _add(entries, Category.SEXUAL if _SEXUAL.search(term) else Category.INSULT, term, "weak", source)


def add_english(entries: Entries, folder: Path, data_folder: Path) -> None:
    """Surge's entries with category and severity; LDNOOBW's as weak."""
    everyday = " ".join(normalize(text) for text in data.read_en_messages(data_folder))
    common = Counter(re.findall(r"[a-z']+", everyday))
    with (folder / "surge_profanity_en.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        category, term = _SURGE.get(row["category_1"]), _term(row["text"])
        if category is None or len(term) < 3 or common[term] > 3 or not re.search("[a-z]", term):
            continue
        if category is Category.SEXUAL and _SWEARING.search(term):
            category = Category.INSULT  # swearing, not an offer
        severe = float(row["severity_rating"]) >= _SEVERE and not common[term] and len(term) >= 4
        _add(entries, category, term, "strong" if severe else "weak", "surge")
    for line in (folder / "ldnoobw_en.txt").read_text(encoding="utf-8").splitlines():
        term = _term(line)
        if len(term) >= 3 and common[term] <= 3:
            _add(entries, Category.SEXUAL, term, "weak", "ldnoobw")


def let_sound(entries: Entries, exceptions: list[str], data_folder: Path) -> None:
    """Let strong Chinese entries of three characters or more match by sound, unless ordinary text sounds like one.

    Those inside an exception may not: it hides what is written, and its sound would still be heard."""
    long = {
        term
        for rows in entries.values()
        for term, strength, _, source in rows.values()
        if strength == "strong" and source == "gatepost" and len(_HAN.findall(term)) == len(term) >= 3
        if not any(term in harmless for harmless in exceptions)
    }
    kind = [example.text for example in compose.kind_examples(random.Random(1), 10_000, held=False)]
    ordinary = [
        *data.read_zh_messages(data_folder),
        *kind,
        *(" ".join(card.lines) for card in data.written() if card.category is None),
        *(t for t, label in data.read_cold(data_folder) if not label),
    ]
    automaton = ahocorasick.Automaton()
    for term in long:
        automaton.add_word(sound(term), (sound(term), term))
    automaton.make_automaton()
    heard: set[str] = set()
    for text in map(normalize, ordinary):
        heard |= {sounding for _, (sounding, term) in automaton.iter(sound(text)) if term not in text}
    for rows in entries.values():
        for term in long & rows.keys():
            if sound(term) not in heard:
                rows[term] = (*rows[term][:2], "1", rows[term][3])


def _add(entries: Entries, category: Category, term: str, strength: str, source: str) -> None:
    if term and term not in _AMBIGUOUS and not any(term in known for known in entries.values()):
        entries[category][term] = (term, strength, "0", source)


def _term(word: str) -> str:
    return compact(normalize(word.replace("_", " ")))


def _phrases(lists: dict[str, str], key: str) -> list[str]:
    return [phrase for phrase in lists.get(key, "").split("|") if phrase]


def _hits(words: Iterable[str], texts: Iterable[str]) -> Counter[str]:
    automaton = ahocorasick.Automaton()
    for word in words:
        automaton.add_word(word, word)
    automaton.make_automaton()
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update({word for _, word in automaton.iter(compact(normalize(text)))})
    return counts


_AMBIGUOUS = frozenset((HERE / "words/ambiguous.txt").read_text(encoding="utf-8").split("\n"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    lines = (HERE / "words/exceptions.txt").read_text(encoding="utf-8").splitlines()
    exceptions = sorted({_term(line) for line in lines if line and not line.startswith("#")})
    entries = own_entries()
    add_chinese(entries, options.data / "lexicons", options.data)
    add_english(entries, options.data / "lexicons", options.data)
    let_sound(entries, exceptions, options.data)
    options.out.mkdir(parents=True, exist_ok=True)
    for category, rows in entries.items():
        if not rows:
            continue
        lines = ["term\tstrength\tsounds\tsource", *("\t".join(row) for row in sorted(rows.values()))]
        (options.out / f"{category}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        print(category, Counter(row[1] for row in rows.values()))
    (options.out / "exceptions.txt").write_text("\n".join(exceptions) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
