"""What people do with a verdict. Each act is written down with who and when (records), and answered by what stands."""

from __future__ import annotations

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from gatepost_server.console.actors import person_of
from gatepost_server.console.guard import Page, account_of
from gatepost_server.console.pages.item import ITEM, name_of, partial
from gatepost_server.console.parts import parts_of
from gatepost_server.domain.answer import Ground
from gatepost_server.domain.errors import ErrorReason, invalid
from gatepost_server.domain.labels import CATEGORIES, Category
from gatepost_server.domain.review import ActKind
from gatepost_server.moderate.example import KnownBy
from gatepost_server.moderate.review import Done, Person, Review
from gatepost_server.records.accounts import AccountRole


async def claim(request: Request) -> Response:
    """It is theirs for a while; again, for longer."""
    name = name_of(request)
    await parts_of(request).review.claim(name, person_of(account_of(request)))
    return await partial(request, name)


async def give_back(request: Request) -> Response:
    """Somebody else may take it."""
    name = name_of(request)
    await parts_of(request).review.give_back(name, person_of(account_of(request)))
    return await partial(request, name)


async def act(request: Request) -> Response:
    """Allow, block, escalate, another category, a note, undo."""
    name, said = name_of(request), await request.form()
    await _done(parts_of(request).review, name, person_of(account_of(request)), said)
    return await partial(request, name)


async def add_known_bad(request: Request) -> Response:
    """Gateways stop what is like it from now on."""
    name, said = name_of(request), await request.form()
    days = str(said.get("days", "")).strip()
    try:
        number = float(days) if days else None
    except ValueError:
        raise invalid(ErrorReason.FIELD_INVALID, "days is a number", field="days") from None
    known_by, line = _known_by(str(said.get("known_by", "")))
    await parts_of(request).review.add_known_bad(
        name,
        person_of(account_of(request)),
        _category(said),
        known_by=known_by,
        line=line,
        days=number,
        note=_text(said),
    )
    return await partial(request, name)


async def _done(review: Review, name: str, person: Person, said: FormData) -> Done:
    """Raises GatepostError (INVALID_ARGUMENT) for what is no act."""
    match said.get("kind"):
        case ActKind.ALLOW:
            return await review.allow(name, person, text=_text(said))
        case ActKind.BLOCK:
            return await review.block(name, person, ground=_ground(said), text=_text(said))
        case ActKind.ESCALATE:
            return await review.escalate(name, person, text=_text(said))
        case ActKind.RECATEGORISE:
            return await review.recategorise(name, person, _category(said), text=_text(said))
        case ActKind.NOTE:
            return await review.note(name, person, _text(said))
        case ActKind.UNDO:
            undoes = str(said.get("undoes", ""))
            if undoes.isascii() and undoes.isdecimal() and len(undoes) < 10:
                return await review.undo(name, person, int(undoes))
    raise invalid(ErrorReason.FIELD_INVALID, "no such act", field="kind")


def _known_by(said: str) -> tuple[KnownBy, int | None]:
    """Of "file", "picture", or "text:" and a line's index."""
    kind, _, line = said.partition(":")
    if kind == KnownBy.TEXT and line.isascii() and line.isdecimal() and len(line) < 6:
        return KnownBy.TEXT, int(line)
    if said in (KnownBy.FILE, KnownBy.PICTURE):
        return KnownBy(said), None
    raise invalid(ErrorReason.FIELD_INVALID, "known by its file, its picture or a text", field="known_by")


def _category(said: FormData) -> Category:
    category = said.get("category")
    if category not in CATEGORIES:
        raise invalid(ErrorReason.FIELD_INVALID, "no such category", field="category")
    return Category(str(category))


def _ground(said: FormData) -> Ground | None:
    """None: as the evidence has it."""
    ground = str(said.get("ground", ""))
    if ground and ground not in tuple(Ground):
        raise invalid(ErrorReason.FIELD_INVALID, "no such ground", field="ground")
    return Ground(ground) if ground else None


def _text(said: FormData) -> str:
    return str(said.get("text", "")).strip().replace("\r\n", "\n")


PAGES = tuple(
    Page(f"{ITEM}/{path}", endpoint, role=AccountRole.REVIEWER, methods=("POST",))
    for path, endpoint in (("claim", claim), ("release", give_back), ("act", act), ("bank", add_known_bad))
)
