"""What can go wrong in a re-scan: with one input, and with the whole job."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gatepost_server.domain.errors import ErrorCode


class SourceReason(StrEnum):
    """Why an image could not be read: stable, beside domain.errors.ErrorReason in the results' `error.reason`."""

    SOURCE_MISSING = "SOURCE_MISSING"
    SOURCE_DENIED = "SOURCE_DENIED"
    SOURCE_UNREADABLE = "SOURCE_UNREADABLE"
    SOURCE_INVALID = "SOURCE_INVALID"  # what the manifest says is no address
    IMAGE_EMPTY = "IMAGE_EMPTY"
    IMAGE_TOO_LARGE = "IMAGE_TOO_LARGE"
    ANSWER_INVALID = "ANSWER_INVALID"  # a gateway's answer cannot be read


@dataclass(frozen=True, slots=True)
class Failure:
    """Why one input has no verdict: a row's `error`. The message holds nothing of the image."""

    code: ErrorCode
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Halt:
    """Why the job cannot go on for now, in words for its operator. Nothing is lost: what was not judged stays open."""

    why: str


class SourceError(Exception):
    """One object of a store cannot be read."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class CredentialsError(Exception):
    """A store does not know us, or no longer: nothing in it can be read or written for now."""


class RescanError(Exception):
    """The job cannot begin or go on as it was asked for; the message says why and what to do."""


class PausedError(RescanError):
    """The job cannot go on for now; the same command goes on where it was."""


class TooManyErrorsError(RescanError):
    """More inputs failed than --max-error-rate allows."""
