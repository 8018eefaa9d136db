"""The book of one stream, without a network."""

from __future__ import annotations

from gatepost.v1 import moderation_pb2
from gatepost_client import Item, Unavailable
from gatepost_client._retry import RetryPolicy
from gatepost_client._stream import StreamLimits, StreamSession
from gatepost_client.testing import verdict


def session(*, window: int = 4, ordered: bool = False, stall_timeout: float = 10.0) -> StreamSession:
    limits = StreamLimits(window=window, ordered=ordered, stall_timeout=stall_timeout)
    return StreamSession(limits, RetryPolicy(base=1.0), 10**6, lambda: 1.0)


def put(book: StreamSession, request_id: str, now: float = 0.0) -> None:
    entry = book.take(Item(b"image", request_id=request_id))
    book.load(entry)
    book.enter(entry, now)


def sent(book: StreamSession, now: float) -> list[str]:
    return [message.request.request_id for message in book.outgoing(now)]


def answer(book: StreamSession, request_id: str, now: float = 0.0) -> None:
    message = verdict()
    message.request_id = request_id
    book.answered(moderation_pb2.ModerateStreamResponse(request_id=request_id, verdict=message), now)


def handed_out(book: StreamSession) -> list[str]:
    return [result.request_id for result in book.results()]


def test_there_is_room_until_the_window_is_full_and_again_after_a_result() -> None:
    book = session(window=2)
    put(book, "a")
    assert book.has_room
    put(book, "b")
    assert not book.has_room
    assert sent(book, 0) == ["a", "b"]
    answer(book, "b")
    assert not book.has_room
    assert handed_out(book) == ["b"]
    assert book.has_room
    assert not book.is_empty


def test_an_ordered_book_waits_for_its_first() -> None:
    book = session(ordered=True)
    for name in "abc":
        put(book, name)
    sent(book, 0)
    answer(book, "b")
    assert handed_out(book) == []
    answer(book, "a")
    assert handed_out(book) == ["a", "b"]


def test_a_broken_connection_is_tried_again_later_and_twice_only() -> None:
    book = session()
    put(book, "a")
    now = 0.0
    for wait in (1.0, 2.0):
        assert sent(book, now) == ["a"]
        book.broke(Unavailable("gone"), now)
        assert book.patience(now) == wait
        assert sent(book, now + wait - 0.01) == []
        now += wait
    assert sent(book, now) == ["a"]
    book.broke(Unavailable("gone"), now)
    (result,) = book.results()
    assert isinstance(result.error, Unavailable)
    assert result.error.request_id == "a"
    assert book.is_empty


def test_a_stream_that_ends_well_too_early_is_as_good_as_broken() -> None:
    book = session()
    put(book, "a")
    sent(book, 0)
    book.broke(None, 0)
    assert sent(book, 1.0) == ["a"]


def test_silence_counts_from_the_last_answer_and_only_while_answers_are_owed() -> None:
    book = session(stall_timeout=10)
    assert book.patience(0) is None
    put(book, "a")
    put(book, "b")
    sent(book, 5)
    assert book.patience(5) == 10
    answer(book, "a", 12)
    assert not book.has_stalled(21)
    assert book.has_stalled(22)
    answer(book, "b", 22)
    assert not book.has_stalled(99)


def test_an_answer_that_nobody_waits_for_is_dropped() -> None:
    book = session()
    put(book, "a")
    sent(book, 0)
    answer(book, "z")
    assert handed_out(book) == []
    answer(book, "a")
    answer(book, "a")
    assert handed_out(book) == ["a"]


def test_an_image_is_let_go_as_soon_as_it_is_answered() -> None:
    book = session(ordered=True)
    put(book, "a")
    put(book, "b")
    sent(book, 0)
    answer(book, "b")
    assert [entry.request is None for entry in book._open.values()] == [False, True]
