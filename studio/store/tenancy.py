"""The one way to a domain's rows: every select, update and delete on a table with a `domain` goes through here.

`tests/checks/tenancy.py` reads the source and fails for a statement that goes round it.
"""

from typing import Any, Final, TypeVar

from sqlalchemy import Alias, BindParameter, Delete, Select, Table, Update


class Every:
    """All domains: for the server's own loops and lists of the installation, never for what a caller named."""


EVERY: Final = Every()
Domain = str | BindParameter[str] | Every
Statement = TypeVar("Statement", Select[Any], Update, Delete)


def scope_query(statement: Statement, table: Table | Alias, domain: Domain) -> Statement:
    """`statement` for rows of `domain` only, by `table.c.domain`.

    A `bindparam` as domain is for statements that are compiled once; their text stays the same as by hand.
    """
    if isinstance(domain, Every):
        return statement
    return statement.where(table.c.domain == domain)
