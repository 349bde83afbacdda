"""The one way to a domain's rows: every select, update and delete on a table with a `domain` goes through here.

`tests/checks/tenancy.py` reads the source and fails for a statement that goes round it.
"""

from enum import Enum
from typing import Any, TypeVar

from sqlalchemy import Alias, BindParameter, ColumnCollection, Delete, Select, Table, Update


class Beyond(Enum):
    """Why a statement is not of one domain; never for what a caller named."""

    every = "all domains are meant: the server's loops, the installation's lists, whether an id is taken anywhere"
    found = "the rows are named by numbers that a query of the domain has given before"
    compared = "each row's domain is looked at by the reader: in SQL it would lead to another index"
    shared = "what all domains see, as the catalogue of environments, is asked for beside what is the domain's own"


EVERY, FOUND, COMPARED, SHARED = Beyond.every, Beyond.found, Beyond.compared, Beyond.shared
Domain = str | BindParameter[str] | Beyond
Statement = TypeVar("Statement", bound=Select[Any] | Update | Delete)


def scope_query(statement: Statement, table: Table | Alias | ColumnCollection[str, Any], domain: Domain) -> Statement:
    """`statement` for rows of `domain` only, by the table's column (`jobs`, or `jobs.c`).

    A `bindparam` as domain is for statements that are compiled once; their text stays the same as by hand.
    """
    if isinstance(domain, Beyond):
        return statement
    columns = table.c if isinstance(table, (Table, Alias)) else table
    return statement.where(columns.domain == domain)  # type: ignore[return-value]
