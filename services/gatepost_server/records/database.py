"""The engine of a database that a setting names. A URL may hold a password: it stands in no error."""

from __future__ import annotations

import sqlalchemy as sql
from sqlalchemy.exc import NoSuchModuleError, SQLAlchemyError


class DatabaseUrlError(ValueError):
    """A URL that is none, or of a kind of database that is not installed."""


def database(url: str) -> sql.Engine:
    """Connects on first use. Errors of its statements hold no parameters: those are images and prompts.

    Raises DatabaseUrlError.
    """
    try:
        return sql.create_engine(url, pool_pre_ping=True, hide_parameters=True)
    except (NoSuchModuleError, ImportError) as error:
        raise DatabaseUrlError(f"not a kind of database that is installed: {error}") from None
    except (SQLAlchemyError, ValueError, TypeError):  # the message may quote a part of the URL, its password included
        raise DatabaseUrlError("not a database URL: dialect+driver://user:password@host/name, escaped") from None
