"""What reading does to a text, told from what changes its meaning.

A slip is what a reader of pictures makes of the same text: a character that looks alike, a letter more or less, or
anything else that the reader itself was unsure of. Everything else is another text: another number, another name, a
wish that was turned round by one character.
"""

from __future__ import annotations

from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from gatepost_server.text.characters import is_han
from gatepost_server.text.folded import Folded
from gatepost_server.text.glyphs import look_alike

# Characters and words that turn a wish round when they come in or go missing. They are a slip only where they look like
# what was asked for and the reader was unsure.
GRAVE = frozenset(
    "不没无非勿莫未别休否死亡丧葬坟墓棺鬼滚灭绝难灾祸病疾痛伤残穷贫苦哭泪悲哀愁衰败输破碎离散弃恨仇怨怒骂打杀砍血"
    "毒恶凶煞霉倒贱蠢笨傻呆丑臭烂屁屎尿猪狗奸骗贼偷债赔亏毁罪罚囚狱丢失"
)
_GRAVE_WORDS = frozenset(
    {
        *("not", "no", "never", "dont", "wont", "cant", "without", "dead", "die", "dies", "died", "death", "kill"),
        *("hate", "hates", "hell", "hurt", "evil", "ugly", "fat", "dumb", "loser", "lose", "lost", "sad", "sick"),
        *("bad", "worst", "cry", "fail", "fear", "war", "mad", "old", "liar", "fake", "end"),
    }
)

# A recogniser that takes one character for another doubts it: confidence is the mean over the characters, and so much
# of one character's certainty is missing for each slip. Measured on cards of the dev split: a surely read line of
# eight misses 0.02 of it, one with a slip 0.3 and more.
_DOUBT = 0.15
_LETTERS_A_SLIP = 4  # a word in Latin letters may have one slip in so many letters, however surely it was read


@dataclass(frozen=True, slots=True)
class Fit:
    """A stretch of drawn text beside a stretch of asked-for text.

    Ends are exclusive. `same` counts the characters that both have, those that look alike included.
    """

    start: int
    end: int
    asked_start: int
    asked_end: int
    same: int
    changed: bool  # whether it says something else

    @property
    def similarity(self) -> float:
        """0 to 1."""
        return self.same / max(self.end - self.start, self.asked_end - self.asked_start, 1)


def fit(drawn: Folded, confidence: float, place: tuple[int, int], asked: Folded, wanted: tuple[int, int]) -> Fit:
    """Compare drawn.text[slice(*place)] with asked.text[slice(*wanted)]; `confidence` is that of the whole line."""
    left, right = drawn.text[slice(*place)], asked.text[slice(*wanted)]
    excused = int((1.0 - confidence) * len(drawn.text) / _DOUBT)  # so many characters may be anything
    same, changed, chinese = 0, False, 0
    in_words: dict[int, int] = {}
    for edit in Levenshtein.opcodes(left, right):
        extra, lacking = left[edit.src_start : edit.src_end], right[edit.dest_start : edit.dest_end]
        if edit.tag == "equal":
            same += len(extra)
            continue
        similar = edit.tag == "replace" and all(map(look_alike, extra, lacking))
        changed |= not GRAVE.isdisjoint(extra + lacking) and not (similar and excused)
        if similar:
            same += len(extra)
            continue
        if edit.tag == "delete" and extra in (left[edit.src_start - 1 : edit.src_start], left[edit.src_end :][:1]):
            continue  # a character that was read twice
        if any(map(is_han, extra + lacking)):
            chinese += sum(map(is_han, extra))  # one that was not read says nothing else
            continue
        changed |= any(map(str.isdigit, extra)) and any(map(str.isdigit, lacking))
        word = asked.words[min(wanted[0] + edit.dest_start, wanted[1] - 1)]
        in_words[word] = in_words.get(word, 0) + max(len(extra), len(lacking))
    if sorted(left) == sorted(right):  # two letters that changed places
        in_words.clear()
    over = sum(max(0, count - asked.words.count(word) // _LETTERS_A_SLIP) for word, count in in_words.items())
    changed |= chinese + over > excused
    changed |= bool(in_words) and not words_of(drawn, *place).isdisjoint(_GRAVE_WORDS - words_of(asked, *wanted))
    return Fit(*place, *wanted, same, changed)


def words_of(folded: Folded, start: int, end: int) -> set[str]:
    """The words that folded.text[start:end] holds or has a part of."""
    found: dict[int, str] = {}
    for place in range(start, end):
        found[folded.words[place]] = found.get(folded.words[place], "") + folded.text[place]
    return set(found.values())
