"""The cards of the day: known by the date, and never the same file twice."""

from __future__ import annotations

import io
import random
from datetime import date, timedelta

import pytest
from PIL import Image

from gatepost_server.gateway.canary_cards import HEIGHT, SUBJECTS, WIDTH, CardsOfTheDay, draw, subject_of_the_day

DAY = date(2027, 2, 6)
ALL = [(kind, subject) for kind, by_good in SUBJECTS.items() for some in by_good.values() for subject in some]


@pytest.mark.parametrize(("kind", "subject"), ALL)
def test_a_subject_is_drawn_whole_and_never_twice_the_same(kind, subject):
    cards = [draw(kind, subject, DAY + timedelta(days=n // 2), random.Random(n)) for n in range(6)]
    assert len(set(cards)) == 6
    for card in cards:
        with Image.open(io.BytesIO(card)) as picture:
            assert (picture.format, picture.size) == ("PNG", (WIDTH, HEIGHT))
            inside = picture.convert("L").crop((20, 20, WIDTH - 20, HEIGHT - 20))
            low, high = inside.getextrema()
            assert high - low > 60  # something stands on the paper


def test_the_date_chooses_the_subject():
    chosen = {subject_of_the_day(SUBJECTS["zh"]["bad"], DAY + timedelta(days=n)) for n in range(60)}
    assert chosen == set(SUBJECTS["zh"]["bad"])
    assert len({subject_of_the_day(SUBJECTS["zh"]["bad"], DAY) for _ in range(5)}) == 1


async def test_the_first_round_has_every_kind_and_the_others_take_turns():
    cards = CardsOfTheDay(today=lambda: DAY)
    rounds = [await cards() for _ in range(4)]
    kinds = [[card.kind for card in some] for some in rounds]
    assert kinds == [
        ["good-zh", "bad-zh", "good-en", "bad-en", "good-picture", "bad-picture"],
        ["good-zh", "bad-zh"],
        ["good-en", "bad-en"],
        ["good-picture", "bad-picture"],
    ]
    assert all(card.clean is card.kind.startswith("good") for some in rounds for card in some)
    assert len({card.image for some in rounds for card in some}) == 12
