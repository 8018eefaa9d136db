"""Results as lines of JSON or rows of a table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gatepost_client._stream import StreamResult
from gatepost_client.asked import SpanKind
from gatepost_client.people import PeoplesAnswer
from gatepost_client.verdict import Decision, Reason, ReasonCode, Verdict

_VERDICT_KEYS = (
    "name",  # what `gatepost appeal` and `gatepost watch` need
    "decision",
    "reasons",
    "scores",
    "lines",
    "asked_text",
    "tightening",
    "coverage",
    "image",
    "policy",
    "models",
    "ticket",
    "user_message",
    "timing_ms",
)
_LINE_KEYS = ("text", "polygon", "confidence", "scores", "expected")
_COLOURS = {Decision.ALLOW: "green", Decision.REVIEW: "yellow", Decision.BLOCK: "red", Decision.HOLD: "magenta"}


class Report(Protocol):
    """Where results are shown."""

    def add(self, source: str, result: StreamResult) -> None: ...
    def finish(self) -> None: ...


def to_json(source: str, result: StreamResult) -> dict[str, Any]:
    """The object that --json prints for one source."""
    if result.error is not None:
        error = result.error
        described = {"code": error.code.name, "reason": error.reason, "message": error.message}
        return {"source": source, "error": described}
    everything = result.verdict.to_dict() if result.verdict else {}
    everything["lines"] = [{key: line[key] for key in _LINE_KEYS} for line in everything["lines"]]
    # Only where there is something to wait for, and where people have a part in it.
    keys = (*_VERDICT_KEYS, *(key for key in ("pending", "people") if everything[key]))
    return {"source": source, **{key: everything[key] for key in keys}}


class JsonReport:
    """One object a line, at once."""

    def __init__(self, console: Console) -> None:
        self._file = console.file

    def add(self, source: str, result: StreamResult) -> None:
        self._file.write(json.dumps(to_json(source, result), ensure_ascii=False) + "\n")
        self._file.flush()

    def finish(self) -> None: ...


class TableReport:
    """Rows in tables of at most `page` rows, so that many files take no more memory than few."""

    def __init__(self, console: Console, page: int = 100) -> None:
        self._console = console
        self._page = page
        self._table = self._new_table()

    def add(self, source: str, result: StreamResult) -> None:
        if (error := result.error) is not None:
            why = _plain(f"{error.reason or error.code.name}: {error.message}")
            self._table.add_row(_plain(source), Text("ERROR", "bold red"), why, "")
        elif (verdict := result.verdict) is not None:
            decision = Text(verdict.decision.value, f"bold {_COLOURS[verdict.decision]}")
            read = " / ".join(line.text for line in verdict.lines)
            self._table.add_row(_plain(source), decision, _plain(_why(verdict)), _plain(read))
        if self._table.row_count >= self._page:
            self.finish()

    def finish(self) -> None:
        if self._table.row_count:
            self._console.print(self._table)
        self._table = self._new_table()

    @staticmethod
    def _new_table() -> Table:
        table = Table(expand=False)
        table.add_column("source", overflow="fold")
        table.add_column("decision", no_wrap=True)
        table.add_column("why", overflow="fold")
        table.add_column("text read", overflow="fold")
        return table


def _plain(text: str) -> Text:
    """`text` without control characters: file names and pictures do not command the terminal."""
    return Text("".join(character if character.isprintable() or character == "\n" else "�" for character in text))


def _why(verdict: Verdict) -> str:
    if verdict.people is not None:
        told = [verdict.user_message.text] if verdict.user_message else []
        return "\n".join([*_unique(map(_reason, verdict.reasons)), *_people(verdict.people), *told])
    if verdict.reasons:
        more = [f"gatepost watch {verdict.name}" if verdict.pending else verdict.name]
        return "\n".join([*_unique(map(_reason, verdict.reasons)), *_asked(verdict), *more])
    worst = max(verdict.scores.items(), key=lambda entry: entry[1], default=None)
    return "\n".join([*([f"highest: {worst[0].value} {worst[1]:.2f}"] if worst else []), *_asked(verdict)])


def _people(people: PeoplesAnswer) -> Iterator[str]:
    yield "people are looking at it" if people.waiting else "people decided"
    if people.appeal_granted:
        yield "the appeal was right"


def _asked(verdict: Verdict) -> Iterator[str]:
    """What is not as it was asked for, and whether the conversation tightened thresholds."""
    if verdict.asked_text is not None:
        for span in verdict.asked_text.of(SpanKind.UNEXPECTED):
            yield f"not asked for: {span.drawn} ({span.score:.2f})"
        for span in verdict.asked_text.of(SpanKind.MISSING):
            yield f"missing: {span.asked}"
    if verdict.tightening is not None:
        yield f"thresholds x {verdict.tightening.factor:.2f}: {', '.join(verdict.tightening.grounds)}"


def _reason(reason: Reason) -> str:
    if reason.code is ReasonCode.SCORE and reason.category and reason.score is not None:
        return f"{reason.category.value} {reason.score:.2f} ≥ {reason.threshold or 0:.2f}"
    return " ".join(
        part
        for part in (reason.code.value.lower(), reason.category.value if reason.category else "", reason.detail)
        if part
    )


def _unique(lines: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(lines))
