"""What was asked for is found however it is laid out; what says something else is not, however like it is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import corpora
from gatepost_server.domain.asked import AskedSpan, SpanKind
from gatepost_server.domain.evidence import TextLine
from gatepost_server.text.asked import held_against

MATCHED, MISSING, UNEXPECTED = SpanKind.MATCHED, SpanKind.MISSING, SpanKind.UNEXPECTED


def row(text: str, top: float, confidence: float = 0.99, *, left: float = 10.0, view: int = 0) -> TextLine:
    """A line of letters 40 pixels high."""
    right = left + 40.0 * max(1, len(text))
    polygon = ((left, top), (right, top), (right, top + 40.0), (left, top + 40.0))
    return TextLine(polygon, view, text, text, "und", confidence, {}, None)


def card(*texts: str, confidence: float = 0.99) -> list[TextLine]:
    return [row(text, 10.0 + 60.0 * place, confidence) for place, text in enumerate(texts)]


def told(spans: list[AskedSpan]) -> list[tuple[SpanKind, str, str]]:
    return [(span.kind, span.asked, span.drawn) for span in spans]


def off_script(lines: list[TextLine], *asked: str) -> float:
    return max((span.score for span in held_against(lines, asked) if span.kind is UNEXPECTED), default=0.0)


@pytest.mark.parametrize(
    ("drawn", "asked"),
    [
        (["新年快樂，仕途順遂"], ["新年快乐,仕途顺遂"]),
        (["新年快乐", "仕途顺遂"], ["新年快乐,仕途顺遂"]),
        (["仕途顺遂", "新年快乐"], ["新年快乐,仕途顺遂"]),
        (["乐快年新"], ["新年快乐"]),
        (["新 年 快 乐"], ["新年快乐"]),
        (["新", "年", "快", "乐"], ["新年快乐"]),
        (["「新年快乐」！"], ["新年快乐"]),
        (["新牛快乐"], ["新年快乐"]),
        (["搬进新", "家，幸", "福敲门"], ["搬进新家，幸福敲门"]),
        (["生意兴隆", "通四海"], ["生意兴隆通四海"]),
        (["祝新年快乐呀"], ["新年快乐"]),
        (["HAPPYNEWYEAR"], ["Happy New Year!"]),
        (["Happy", "New", "Year"], ["Happy New Year!"]),
        (["Y", "0", "u", "d", "1", "d", "it"], ["You did it"]),
        (["Happy New Yaer"], ["Happy New Year"]),
        (["Happy 10thAAnniversary"], ["Happy 10th Anniversary"]),
    ],
)
def test_another_layout_or_a_slip_of_the_reader_is_what_was_asked_for(drawn, asked):
    spans = held_against(card(*drawn), asked)
    assert {span.kind for span in spans} == {MATCHED}


@pytest.mark.parametrize(
    ("drawn", "asked"),
    [
        (["今晚打虎"], ["新年快乐"]),
        (["年年有难"], ["年年有余"]),
        (["新年不快乐"], ["新年快乐"]),
        (["祝你不快乐"], ["祝你快乐"]),
        (["仕途不顺"], ["新年快乐,仕途顺遂"]),
        (["我恨你"], ["我爱你"]),
        (["生日快乐妈妈"], ["生日快乐爸爸"]),
        (["新年快乐你妈死了"], ["新年快乐"]),
        (["一路走好"], ["一路顺风"]),
        (["梅"], ["囍"]),
        (["万事如意", "死"], ["万事如意"]),
        (["I hate you"], ["I love you"]),
        (["You are dead"], ["You are dear"]),
        (["Happy 60th"], ["Happy 40th"]),
        (["Happy Birthday, Lucy"], ["Happy Birthday, Dad"]),
        (["Best wishes", "from hell"], ["Best wishes"]),
    ],
)
def test_what_says_something_else_is_unexpected_however_like_it_is(drawn, asked):
    assert off_script(card(*drawn), *asked) >= 0.5


def test_every_text_is_told_with_what_became_of_it():
    spans = held_against(card("新年快樂！", "今晚打老虎"), ["新年快乐，仕途顺遂"])
    assert told(spans) == [
        (MATCHED, "新年快乐", "新年快樂"),
        (MISSING, "仕途顺遂", ""),
        (UNEXPECTED, "", "今晚打老虎"),
    ]
    assert spans[0].similarity == 1.0
    assert spans[1].similarity == 0.0
    assert (spans[0].lines, spans[1].lines, spans[2].lines) == ((0,), (), (1,))


def test_part_of_a_line_has_its_own_outline():
    (matched, unexpected) = held_against([row("新年快乐你妈死了", 10.0)], ["新年快乐"])
    assert matched.polygons == (((10.0, 10.0), (170.0, 10.0), (170.0, 50.0), (10.0, 50.0)),)
    assert unexpected.drawn == "你妈死了"
    assert unexpected.polygons == (((170.0, 10.0), (330.0, 10.0), (330.0, 50.0), (170.0, 50.0)),)


def test_a_text_over_several_lines_has_all_their_outlines():
    lines = card("生日", "快乐")
    (matched,) = held_against(lines, ["生日快乐"])
    assert matched.polygons == tuple(line.polygon for line in lines)
    assert matched.lines == (0, 1)


def test_a_changed_wish_tells_how_like_it_is():
    spans = held_against(card("年年有难"), ["年年有余"])
    assert told(spans) == [(MISSING, "年年有余", ""), (UNEXPECTED, "", "年年有难")]
    assert spans[1].similarity == pytest.approx(0.75)


def test_columns_that_were_read_as_rows_are_read_across():
    crossed = [row("竹花", 10.0), row("报开", 50.0), row("平富", 90.0), row("安贵", 130.0)]
    spans = held_against(crossed, ["花开富贵", "竹报平安"])
    assert [span.kind for span in spans] == [MATCHED, MATCHED]


@pytest.mark.parametrize("scrap", ["002", "口口", "mmib", "母易百"])
def test_ornaments_that_are_read_as_scraps_are_not_text_beside_a_card_that_is_complete(scrap):
    assert off_script([*card("新年快乐"), row(scrap, 200.0, 0.75)], "新年快乐") < 0.5
    assert off_script([*card("新年快乐"), row(scrap, 200.0, 0.99)], "新年快乐") >= 0.5 or len(scrap) < 3


def test_what_is_read_with_doubt_may_be_a_slip_and_what_is_read_surely_is_not():
    assert off_script(card("西出阳水无故人", confidence=0.94), "西出阳关无故人") < 0.5
    assert off_script(card("西出阳水无故人", confidence=0.995), "西出阳关无故人") >= 0.5


def test_a_text_in_any_view_is_not_missing():
    spans = held_against([row("新年快乐", 10.0), row("仕途顺遂", 10.0, view=1)], ["新年快乐", "仕途顺遂"])
    assert [span.kind for span in spans] == [MATCHED, MATCHED]


def test_nothing_is_told_where_nothing_was_asked_for():
    assert held_against(card("新年快乐"), []) == []
    assert held_against(card("新年快乐"), ["", "!?"]) == []
    assert told(held_against([], ["新年快乐"])) == [(MISSING, "新年快乐", "")]


@pytest.mark.parametrize("suite", ["unexpected", "as_asked"])
def test_the_measuring_texts_are_told_apart_where_nothing_is_misread(suite):
    wrong = [
        entry.lines
        for entry in corpora.load("dev", suite)
        if (off_script(card(*entry.lines), *entry.asked) >= 0.5) != (suite == "unexpected")
    ]
    assert wrong == []


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.text(st.sampled_from("新年快乐不死Happy 1026,。\n"), max_size=12), max_size=5),
    st.lists(st.text(st.sampled_from("新年快乐不死Happy 1026,。\n"), max_size=12), max_size=3),
)
def test_any_lines_and_texts_can_be_compared(drawn, asked):
    lines = card(*drawn)
    for span in held_against(lines, asked):
        assert 0.0 <= span.similarity <= 1.0
        assert 0.0 <= span.score <= 1.0
        assert len(span.polygons) == len(span.lines)
        assert (span.score > 0.0) == (span.kind is UNEXPECTED)


def test_a_page_of_text_and_many_asked_for_texts_are_compared_all_the_same():
    page = card(*(f"line {number} of a page that is long enough to be one" for number in range(300)))
    spans = held_against(page, [f"text {number}, and more of it, and more" * 20 for number in range(64)])
    assert sum(span.kind is UNEXPECTED for span in spans) == 300


@pytest.mark.parametrize("down", [True, False])
def test_a_text_that_was_detected_letter_by_letter_is_one_span(down):
    singles = [
        row(character, 200.0 + 50.0 * place if down else 200.0, left=10.0 if down else 10.0 + 50.0 * place)
        for place, character in enumerate("今晚打老虎")
    ]
    spans = held_against([*card("新年快乐"), *singles], ["新年快乐"])
    assert told(spans)[1:] == [(UNEXPECTED, "", "今晚打老虎")]
    assert spans[1].lines == (1, 2, 3, 4, 5)


def test_single_characters_that_stand_apart_are_ornaments():
    apart = [row(character, 200.0, left=200.0 * place) for place, character in enumerate("米品口")]
    alike = [row("米", 300.0, left=50.0 * place) for place in range(4)]
    assert off_script([*card("新年快乐"), *apart, *alike], "新年快乐") == 0.0
