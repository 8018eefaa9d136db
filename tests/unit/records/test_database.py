"""A database's URL: what is wrong is told without the URL."""

from __future__ import annotations

import pytest
import sqlalchemy as sql
from sqlalchemy.exc import OperationalError

from gatepost_server.records.database import DatabaseUrlError, database


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://u:hunter2@host:hunter2/db",
        "postgresq://u:hunter2@host/db",
        "mysql+nodriver://u:hunter2@host/db",
        "hunter2",
        "://u:hunter2@host/db",
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_being_quoted(url):
    with pytest.raises(DatabaseUrlError) as refused:
        database(url)
    assert "hunter2" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_a_failed_statement_does_not_quote_its_parameters():
    with (
        database("sqlite://").connect() as connection,
        pytest.raises(OperationalError) as failed,
    ):
        connection.execute(sql.text("INSERT INTO nowhere VALUES (:prompt)"), {"prompt": "hunter2"})
    assert "hunter2" not in str(failed.value)
