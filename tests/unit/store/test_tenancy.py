"""Nothing asks for a domain's rows but through `scope_query`; and the check that says so sees what it should."""

import pytest
from sqlalchemy import bindparam, delete, select, update

from studio.store.tables import tracking as t
from studio.store.tables.jobs import jobs
from studio.store.tenancy import EVERY, FOUND, scope_query
from tests.checks import tenancy

HEAD = """
from sqlalchemy import delete, select, update
from studio.store.tables import tracking as t
from studio.store.tables.jobs import jobs
from studio.store.tables.domains import instance_types
from studio.store.tenancy import scope_query
"""


def test_the_whole_product_goes_through_it() -> None:
    assert tenancy.main() == 0


@pytest.mark.parametrize(
    "code",
    [
        "def f(db): return db.execute(select(jobs))",
        "def f(db, domain): return db.execute(select(jobs).where(jobs.c.domain == domain))",
        "def f(db): return db.execute(select(jobs.c.id).order_by(jobs.c.id).limit(1))",
        "def f(db): db.execute(update(jobs).values(state='x'))",
        "async def f(db): db.execute(delete(t.runs))",
        "def f(db): db.execute(jobs.delete())",
        "def f(db): db.execute(select(t.metrics).join(t.runs))",
        "def f(db):\n  c = jobs.c\n  return db.execute(select(c.id))",
        "def f(db):\n  j = jobs.alias()\n  return db.execute(select(j.c.id))",
        "QUERY = select(jobs)\ndef f(db): return db.execute(QUERY)",
        "def f(db, domain):\n  query = select(jobs)\n  other = scope_query(select(t.runs), t.runs, domain)",
        "def f(db, domain): return scope_query(select(jobs), t.runs, domain)",
        "class A:\n  def f(self, db): return db.execute(select(jobs))",
    ],
)
def test_what_goes_round_is_found(code: str) -> None:
    assert tenancy.check("x.py", f"{HEAD}{code}\n")


@pytest.mark.parametrize(
    "code",
    [
        "def f(db, domain): return db.execute(scope_query(select(jobs), jobs, domain).limit(1))",
        "def f(db, domain): return db.execute(scope_query(select(jobs).where(jobs.c.id == 'a'), jobs, domain))",
        "def f(db, domain):\n  query = select(jobs)\n  return scope_query(query, jobs, domain)",
        "def f(db, domain):\n  c = jobs.c\n  return scope_query(select(c.id), c, domain)",
        "def own(query, domain): return scope_query(query, jobs, domain)\ndef f(d): return own(select(jobs), d)",
        "QUERY = select(jobs)\ndef f(d): return scope_query(QUERY, jobs, d)",
        "def f(db): return db.execute(select(instance_types))",
        "def f(db): return db.execute(select(t.metrics))",
        "def f(jobs): return list(jobs)",
    ],
)
def test_what_goes_through_is_not(code: str) -> None:
    assert not tenancy.check("x.py", f"{HEAD}{code}\n")


def test_a_statement_is_for_one_domain_or_says_why_not() -> None:
    for statement in (select(jobs), update(jobs), delete(jobs)):
        assert "jobs.domain = :domain" in str(scope_query(statement, jobs, "demo"))
        assert "WHERE" not in str(scope_query(statement, jobs, EVERY)) + str(scope_query(statement, jobs.c, FOUND))
    named = scope_query(select(t.runs.c.id), t.runs.c, bindparam("domain"))
    assert str(named).endswith("WHERE runs.domain = :domain")
