"""What the supervisor hears of a server that answers, and of one that never will."""

from __future__ import annotations

import socket
from threading import Event, Thread

import pytest

from gatepost_server.serving.management import Management, ManagementError


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def test_a_server_that_ends_while_it_loads_a_model_is_noticed_although_the_connection_stays_open(listener):
    """As when a stub that was just forked holds the dead server's end of it."""
    asked = Event()

    def end():
        with listener.accept()[0] as held:
            held.recv(1 << 16)
            asked.set()
            while held.recv(1 << 16):  # until the other side gives up
                pass

    server = Thread(target=end)
    server.start()
    with pytest.raises(ManagementError, match="has ended"):
        Management("127.0.0.1", listener.getsockname()[1], ended=asked.is_set).load("decode", {})
    server.join(30.0)


def test_a_slow_answer_is_waited_for_while_the_server_lives(listener):
    looked = Event()

    def ended():
        looked.set()
        return False

    def answer():
        with listener.accept()[0] as connection:
            connection.recv(1 << 16)
            assert looked.wait(30.0)
            connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"name":"a"}')

    server = Thread(target=answer)
    server.start()
    assert Management("127.0.0.1", listener.getsockname()[1], ended=ended).config("a") == {"name": "a"}
    server.join(30.0)
