"""Logs that cannot be written."""

from __future__ import annotations

import errno
import sys

import structlog

from gatepost_server.cli.logs import Unfailing


class FullDisk:
    """A stream over a disk without a free byte."""

    def write(self, text):
        raise OSError(errno.ENOSPC, "No space left on device")

    def flush(self):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_an_event_that_cannot_be_logged_fails_nobody():
    structlog.PrintLogger(Unfailing(FullDisk())).msg("moderated")


def test_what_can_be_logged_is(capsys):
    structlog.PrintLogger(Unfailing(sys.stderr)).msg("moderated")
    assert capsys.readouterr().err == "moderated\n"
