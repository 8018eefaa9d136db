"""How programs use version 0.1 of the SDK. Never change a line: new versions must still type-check it (mypy --strict)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from gatepost_client import (
    AsyncClient,
    Category,
    Client,
    Decision,
    GatepostError,
    Health,
    ImageUri,
    InvalidRequest,
    Item,
    Overloaded,
    Policy,
    ReasonCode,
    StreamResult,
    Tls,
    Turn,
    Verdict,
)
from gatepost_client.annotate import annotate
from gatepost_client.testing import Delayed, Failure, FakeServer, verdict


def gate(client: Client, path: Path) -> bool:
    answer: Verdict = client.gate(path, prompt="a card", expected_text=["新年快乐"], timeout=2.0)
    return answer.allowed


def every_source(client: Client) -> list[Decision]:
    array = np.zeros((4, 4, 3), dtype=np.uint8)
    pillow = Image.new("RGB", (4, 4))
    return [
        client.moderate(source).decision for source in ("a.png", Path("a.png"), b"", pillow, array, ImageUri("s3://a"))
    ]


def every_option(client: Client) -> Verdict:
    return client.moderate(
        b"image",
        prompt="",
        expected_text=("a", "b"),
        turns=[Turn("user", "hello"), Turn(role="assistant", text="hi")],
        turn_count=2,
        locale="en",
        policy="strict",
        labels={"app": "cards"},
        request_id="1",
        evidence=True,
        annotated_image=False,
        embedding=False,
        timeout=1,
    )


def why(answer: Verdict) -> tuple[str, float | None, str]:
    insult: float = answer.scores.get(Category.INSULT, 0.0)
    first = answer.reasons[0]
    code: ReasonCode = first.code
    x, y = answer.lines[0].polygon[0]
    width: int = answer.image.width if answer.image else 0
    locale: str = answer.user_message.locale if answer.user_message else ""
    policy: str = answer.policy.version if answer.policy else ""
    described: dict[str, object] = answer.to_dict()
    return f"{code} {insult} {x} {y} {width} {locale} {policy} {described}", first.score, answer.ticket


def errors(client: Client) -> float | None:
    try:
        client.moderate("a.png")
    except InvalidRequest as error:
        field: str | None = error.field
        return 0.0 if field else 1.0
    except Overloaded as error:
        return error.retry_after
    except GatepostError as error:
        text: str = error.reason + error.request_id + error.code.name
        return float(len(text))
    return None


def stream(client: Client) -> Iterator[StreamResult]:
    for result in client.moderate_stream([b"a", Path("b.png"), Item("c.png", prompt="c")], ordered=True, window=4):
        if result.error is None and result.verdict is not None:
            print(result.index, result.item.prompt, result.request_id, result.verdict.decision)
        yield result


def others(client: Client) -> tuple[Policy, ...]:
    health: Health = client.health()
    again: Verdict = client.get_verdict("verdicts/1", embedding=True)
    default: Policy = client.get_policy()
    print(health is Health.SERVING, again.name, default.thresholds[Category.INSULT].review)
    return client.list_policies()


def connect() -> None:
    tls = Tls(root_certificates="ca.pem", certificate_chain=Path("a.pem"), private_key=b"", server_name="gate")
    with Client("gate:1", tls=tls, token=lambda: "t", timeout=1.0, retries=0, max_message_bytes=2**20) as client:
        client.close()


async def asynchronous() -> None:
    async def images() -> AsyncIterator[bytes]:
        yield b"image"

    async with AsyncClient(tls=True, token="t") as client:
        answer: Verdict = await client.gate(b"image", prompt="a card")
        print(answer.allowed, await client.moderate("a.png"), await client.health())
        print(await client.list_policies(), await client.get_policy("strict"), await client.get_verdict("verdicts/1"))
        async for result in client.moderate_stream(images(), window=2, stall_timeout=3.0):
            print(result.allowed)


def draw(answer: Verdict) -> bytes:
    drawn = annotate(b"image", answer)
    if isinstance(drawn, InvalidRequest):
        raise drawn
    return drawn


def fake() -> None:
    import grpc

    with FakeServer(token="t") as server, Client(server.target, token="t") as client:
        server.script(
            verdict(Decision.BLOCK, Category.INSULT, text="x"),
            Failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED", retry_after=0.1),
            Delayed(0.1, verdict()),
            lambda request: verdict() if request.image else Failure(grpc.StatusCode.INTERNAL),
        )
        assert gate(client, Path("a.png"))
        assert server.received[0].request.request_id


if __name__ == "__main__":
    asyncio.run(asynchronous())
