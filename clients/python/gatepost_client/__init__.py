"""gatepost: ask whether a generated image may be shown.

from gatepost_client import Client

with Client("localhost:50051") as client:
    if client.gate("card.png", prompt="新年贺卡", expected_text=["新年快乐"]).allowed:
        ...  # show it
"""

from gatepost_client._options import Tls
from gatepost_client._stream import StreamResult
from gatepost_client._version import __version__
from gatepost_client.aio import AsyncClient
from gatepost_client.asked import AskedSpan, AskedText, SpanKind, Tightening
from gatepost_client.client import Client
from gatepost_client.errors import (
    Cancelled,
    DeadlineExceeded,
    GatepostError,
    InvalidRequest,
    NotFound,
    Overloaded,
    PermissionDenied,
    ServerError,
    Unauthenticated,
    Unavailable,
)
from gatepost_client.health import Health
from gatepost_client.images import ImageSource, ImageUri
from gatepost_client.people import Ground, PeoplesAnswer
from gatepost_client.policy import Policy, Rule, Thresholds
from gatepost_client.requests import About, Item, Turn, Urgency
from gatepost_client.ticket_keys import TicketKeys
from gatepost_client.verdict import (
    Background,
    Category,
    Coverage,
    Decision,
    ImageFacts,
    ImageFinding,
    Reason,
    ReasonCode,
    Skipped,
    StageCoverage,
    TextLine,
    UserMessage,
    Verdict,
    Versioned,
    View,
)

__all__ = [
    "About",
    "AskedSpan",
    "AskedText",
    "AsyncClient",
    "Background",
    "Cancelled",
    "Category",
    "Client",
    "Coverage",
    "DeadlineExceeded",
    "Decision",
    "GatepostError",
    "Ground",
    "Health",
    "ImageFacts",
    "ImageFinding",
    "ImageSource",
    "ImageUri",
    "InvalidRequest",
    "Item",
    "NotFound",
    "Overloaded",
    "PeoplesAnswer",
    "PermissionDenied",
    "Policy",
    "Reason",
    "ReasonCode",
    "Rule",
    "ServerError",
    "Skipped",
    "SpanKind",
    "StageCoverage",
    "StreamResult",
    "TextLine",
    "Thresholds",
    "TicketKeys",
    "Tightening",
    "Tls",
    "Turn",
    "Unauthenticated",
    "Unavailable",
    "Urgency",
    "UserMessage",
    "Verdict",
    "Versioned",
    "View",
    "__version__",
]
