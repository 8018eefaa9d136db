"""Images of an in-process re-scan are decoded beside the nets' work, and never more of them than there is room for."""

from __future__ import annotations

import asyncio
import threading

import pytest

from gatepost_server.cli.inprocess import InProcessScorer
from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from tests.builders import request
from tests.ensemble_answers import complete_answer

BAD = b"no image"
WITHIN_S = 60.0


class FakeEnsemble:
    """Counts what is decoded and not judged; its nets wait until `go` is set."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.decoding, self.decoded, self.most_decoding, self.most_decoded = 0, 0, 0, 0
        self.batches: list[int] = []
        self._lock = threading.Lock()
        self.two_decode = threading.Barrier(2)

    def decode(self, items):
        (item,) = items
        if item["IMAGE"].reshape(-1)[0] == BAD:
            return [GatepostError(ErrorCode.INVALID_ARGUMENT, ErrorReason.IMAGE_CORRUPT, "no")]
        with self._lock:
            self.decoding += 1
            self.most_decoding = max(self.most_decoding, self.decoding)
        self.two_decode.wait(WITHIN_S)  # nobody goes on alone
        with self._lock:
            self.decoding -= 1
            self.decoded += 1
            self.most_decoded = max(self.most_decoded, self.decoded)
        return [item]

    def judge(self, decoded):
        assert self.go.wait(WITHIN_S)
        with self._lock:
            self.decoded -= len(decoded)
        self.batches.append(len(decoded))
        return [complete_answer(["Hi"]) for _ in decoded]


async def until(happened) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not happened():
            await asyncio.sleep(0.01)


async def test_decoders_work_while_the_nets_do_and_stop_when_enough_is_decoded():
    ensemble = FakeEnsemble()
    scorer = InProcessScorer(ensemble, batch=2, decoders=2)
    asking = [asyncio.create_task(scorer.score(request(image=b"%d" % n), timeout_s=WITHIN_S)) for n in range(20)]
    await until(lambda: ensemble.decoded == 6)  # the nets have not given anything yet
    ensemble.go.set()
    answers = await asyncio.gather(*asking)
    await scorer.close()
    assert len(answers) == 20
    assert ensemble.most_decoding == 2
    assert ensemble.most_decoded <= 6
    assert sum(ensemble.batches) == 20
    assert max(ensemble.batches) == 2


async def test_what_cannot_be_decoded_never_comes_to_the_nets():
    ensemble = FakeEnsemble()
    ensemble.go.set()
    scorer = InProcessScorer(ensemble, batch=2)
    with pytest.raises(GatepostError, match="no"):
        await scorer.score(request(image=BAD), timeout_s=WITHIN_S)
    await scorer.close()
    assert ensemble.batches == []
