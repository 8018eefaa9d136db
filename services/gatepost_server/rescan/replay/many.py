"""Many rows judged at once: thresholds, lists, rules and coverage over columns.

Where a column cannot say what the exact function would say, the exact function is asked about that row. So the answer
is the same for every row, and only how long it takes depends on the policy (docs/replay.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gatepost_server.domain.asked import SpanKind
from gatepost_server.domain.labels import CATEGORIES, Category, StageName
from gatepost_server.policy import grounds
from gatepost_server.policy.evaluate import GRAVITY
from gatepost_server.policy.grounds import ALLOW, BLOCK, REVIEW
from gatepost_server.policy.load import Policy
from gatepost_server.rescan.replay.columns import Bools, Columns, Floats, Nested
from gatepost_server.rescan.replay.exact import COLUMNS, CONVERSATION, judge_row
from gatepost_server.rescan.replay.expressions import parse
from gatepost_server.rescan.replay.results import Batch
from gatepost_server.rescan.replay.rules import Scope, columns_of, holds
from gatepost_server.text.lexicon import Lexicon

_AT_A_TIME = 4_096  # rows turned to Python objects for the exact function


@dataclass(frozen=True, slots=True)
class Decided:
    """What a policy says of rows that have evidence."""

    decisions: NDArray[np.int8]  # places in grounds.BY_GRAVITY
    grounds: tuple[str, ...]
    graves: NDArray[np.int8]  # (rows, grounds): how grave what each ground leads to is
    one_by_one: int  # rows that the exact function was asked about


class Judge:
    """One policy, made ready for columns. Give it rows that have scores."""

    def __init__(self, policy: Policy, *, lexicon: Lexicon | None = None) -> None:
        self._policy = policy
        self._lexicon = lexicon
        document = policy.document
        self._rules = [(rule, parse(rule.expression)) for rule in policy.rules]
        self._strict = (
            set(document.mandatory_stages) == set(StageName)
            and not document.tolerated_skips
            and not document.tolerated_scripts
        )
        names = [category.value for category in CATEGORIES]
        names += [
            grounds.COVERAGE,
            grounds.BLOCK_LIST,
            grounds.ASKED_TEXT,
            *(f"rule:{rule.name}" for rule in policy.rules),
        ]
        self._names = tuple(names)
        self._quoting = document.asked_text.quoted_in_prompt
        self._asked = "facts.asked_with_quoted" if self._quoting else "facts.asked"
        self.columns = tuple(dict.fromkeys(self._read()))  # those that a batch must hold

    def judge(self, batch: Batch) -> Decided:
        """Every row's decision. Raises ValueError for evidence that cannot be read, and what fetching it raises."""
        columns = Columns(batch.rows)
        graves = np.zeros((columns.count, len(self._names)), np.int8)
        if columns.count == 0:
            return Decided(graves.max(axis=1, initial=0), self._names, graves, 0)
        single = self._by_itself(columns) if columns.has("facts") else np.ones(columns.count, bool)
        if not single.all():
            single |= self._at_once(columns, graves, single)
        places = np.flatnonzero(single)
        self._one_by_one(batch, places, graves)
        return Decided(graves.max(axis=1), self._names, graves, len(places))

    def _read(self) -> Iterator[str]:
        yield from ("scores", "expected_text", *CONVERSATION, "facts.coverage", "facts.quoted", self._asked)
        if self._policy.block_list.wanted or self._policy.allow_list.texts:
            yield "facts.texts"
        for _, tree in self._rules:
            yield from columns_of(tree)

    def _by_itself(self, columns: Columns) -> Bools:
        """Rows that columns cannot judge, whatever the rules are."""
        facts = columns.column("facts")
        coverage = columns.column("facts.coverage")
        # HOLD: something is missing or no number; from here on every score is a probability.
        single = _bools(facts.is_null()) | _bools(pc.equal(coverage, "HOLD"), null=True)
        if not self._strict:
            single |= ~_bools(pc.equal(coverage, "ALLOW"))
        if columns.has("turns"):
            single |= _bools(pc.greater(pc.list_value_length(columns.column("turns")), 0))
        if columns.has("turn_count"):
            single |= np.nan_to_num(columns.numbers("turn_count")) > 0
        return single

    def _at_once(self, columns: Columns, graves: NDArray[np.int8], single: Bools) -> Bools:
        """Fills `graves`; gives the rows that turned out to need the exact function."""
        more = np.zeros(columns.count, bool)
        if "facts.texts" in self.columns:
            texts = Nested(columns.column("facts.texts"), columns.count)
            more = self._cleared(texts)
            self._block_list(texts, single | more, graves)
        spans = Nested(columns.column(f"{self._asked}.spans"), columns.count)
        quoted = _bools(columns.column("facts.quoted"))
        sent = _bools(pc.greater(pc.list_value_length(columns.column("expected_text")), 0))
        off_script = self._off_script(columns, spans, quoted & ~sent)
        coverage = _bools(pc.equal(columns.column("facts.coverage"), "REVIEW"))
        graves[:, self._at(grounds.COVERAGE)] = np.where(coverage, REVIEW, ALLOW)
        self._thresholds(columns, off_script, graves)
        missing = self._policy.document.asked_text.missing
        if missing is not None:
            lacking = spans.any(_bools(pc.equal(spans.field("kind"), SpanKind.MISSING.value)))
            self._lead(grounds.ASKED_TEXT, lacking, GRAVITY[missing], graves)
        scope = Scope(columns, off_script, sent | quoted if self._quoting else sent)
        for rule, tree in self._rules:
            cells = holds(tree, scope)
            # What is BLOCK already stays that, whatever the rule says.
            more |= cells.unknown & (graves.max(axis=1) < BLOCK)
            self._lead(f"rule:{rule.name}", cells.values & ~cells.unknown, GRAVITY[rule.decision], graves)
        return more

    def _thresholds(self, columns: Columns, off_script: Floats, graves: NDArray[np.int8]) -> None:
        for category, thresholds in self._policy.document.thresholds.items():
            values = off_script if category is Category.OFF_SCRIPT else columns.scores(category.value)
            self._lead(category.value, values >= thresholds.review, REVIEW, graves)
            if thresholds.block is not None:
                self._lead(category.value, values >= thresholds.block, BLOCK, graves)

    def _off_script(self, columns: Columns, spans: Nested, quoted_alone: Bools) -> Floats:
        """As policy.asked scores it: the worst span that is no decoration; 0 where quotations alone do not count."""
        stored = columns.scores(Category.OFF_SCRIPT.value)
        if not self._quoting:
            stored = np.where(quoted_alone, 0.0, stored)
        compared = _bools(columns.column(f"{self._asked}.compared"))
        if not compared.any():
            return stored
        unexpected = _bools(pc.equal(spans.field("kind"), SpanKind.UNEXPECTED.value))
        drawn = pc.dictionary_encode(spans.field("drawn").filter(pa.array(unexpected)))
        told = np.array([self._policy.decorations.hold(text) for text in drawn.dictionary.to_pylist()], bool)
        scores = np.zeros(len(unexpected))
        kept = ~told[drawn.indices.to_numpy()] if len(told) else np.zeros(0, bool)
        scores[unexpected] = np.where(kept, spans.numbers("score")[unexpected], 0.0)
        return np.where(compared, spans.highest(scores), stored)

    def _cleared(self, texts: Nested) -> Bools:
        """Rows with a line that the allow list clears: what remains of their scores is the exact function's to say."""
        found = np.zeros(len(texts.of), bool)
        for letters in self._policy.allow_list.texts:
            found |= _bools(pc.match_substring_regex(texts.members, "(?s)" + ".*?".join(map(re.escape, letters))))
        places = np.flatnonzero(found)
        sure = [self._policy.allow_list.holds(text) for text in texts.members.take(pa.array(places)).to_pylist()]
        found[places] = sure
        return texts.any(found)

    def _block_list(self, texts: Nested, single: Bools, graves: NDArray[np.int8]) -> None:
        if not self._policy.block_list.wanted:
            return
        any_of = "|".join(map(re.escape, self._policy.block_list.wanted))
        found = _bools(pc.match_substring_regex(texts.members, any_of))
        places = np.flatnonzero(found & ~single[texts.of])
        for place, text in zip(places.tolist(), texts.members.take(pa.array(places)).to_pylist(), strict=True):
            row = texts.of[place]
            for entry in self._policy.block_list.entries_in(text):
                at = self._at(grounds.of_list(entry.category))
                graves[row, at] = max(graves[row, at], GRAVITY[entry.decision])

    def _one_by_one(self, batch: Batch, places: NDArray[np.int64], graves: NDArray[np.int8]) -> None:
        for start in range(0, len(places), _AT_A_TIME):
            some = places[start : start + _AT_A_TIME]
            for place, row in zip(some, batch.fetch(some, (*COLUMNS, *CONVERSATION)), strict=True):
                graves[place] = ALLOW
                for reason in judge_row(row, self._policy, lexicon=self._lexicon).reasons:
                    at = self._at(grounds.of_reason(asdict(reason)))
                    graves[place, at] = max(graves[place, at], GRAVITY[reason.decision])

    def _lead(self, ground: str, rows: Bools, gravity: int, graves: NDArray[np.int8]) -> None:
        at = self._at(ground)
        graves[:, at] = np.where(rows, np.maximum(graves[:, at], gravity), graves[:, at])

    def _at(self, ground: str) -> int:
        return self._names.index(ground)


def grave_grounds(decided: Decided, row: int) -> Sequence[str]:
    """What a row's decision rests on; nothing for ALLOW."""
    gravity = decided.decisions[row]
    return [name for name, each in zip(decided.grounds, decided.graves[row], strict=True) if each == gravity > ALLOW]


def _bools(array: object, *, null: bool = False) -> Bools:
    filled: Bools = pc.fill_null(array, null).to_numpy(zero_copy_only=False).astype(bool)
    return filled
