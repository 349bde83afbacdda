"""Passwords: optional, one per person at most. A sign-in link works whether there is one or not."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from studio.access import hashing, sessions, users
from studio.access.attempts import Attempts
from studio.access.audit import DENIED, Audit, Entry
from studio.access.hashing import Cost
from studio.access.places import Place, source
from studio.access.sessions import PASSWORD, Session
from studio.clock import now_ms
from studio.errors import Conflict, Denied, Invalid, NotFound, StudioError, Unauthenticated, Unavailable
from studio.ids import is_name
from studio.store import Store, signal
from studio.store.tables.access import passwords

LEAST, MOST = 12, 256  # characters
DISTINCT = 5
NAME = 4  # a shorter name may well be in it by chance
FRESH_MS = 15 * 60_000  # so long after a sign-in link the old password is not asked for
QUEUE = 8  # hashes that may wait; one is made at a time
T = TypeVar("T")


def check_new(password: str, user: str) -> None:
    """`Invalid`, never with the password in it, if `password` cannot become that of `user`."""
    if not _is_text(password):
        raise Invalid("The password holds what is no character.", "Choose another one.")
    text = hashing.normalised(password)
    if len(text) < LEAST or len(password) > MOST:
        raise Invalid(f"A password has {LEAST} to {MOST} characters.", "Three or four unrelated words are a good one.")
    if len(set(text.lower())) < DISTINCT or (len(user) >= NAME and user in text.lower()):
        raise Invalid(
            "This password would be guessed soon.", "Leave the name out, and use more than a few different characters."
        )


def find(db: Connection, user: str) -> str | None:
    """What is kept of the person's password, if there is one."""
    return db.execute(select(passwords.c.hashed).where(passwords.c.user == user)).scalar_one_or_none()


def holders(db: Connection) -> frozenset[str]:
    """Who has a password."""
    return frozenset(db.execute(select(passwords.c.user)).scalars())


def put(db: Connection, user: str, hashed: str, *, keep_session: str | None = None) -> None:
    """Sets or replaces the password; sessions that were opened with the one before end, but `keep_session`."""
    users.get(db, user)
    _remove(db, user, keep_session)
    db.execute(insert(passwords).values(user=user, hashed=hashed, changed_ms=now_ms()))
    signal(db, "users", "", user)


def clear(db: Connection, user: str) -> None:
    """Takes the password away, and ends the sessions that were opened with it."""
    users.get(db, user)
    if not _remove(db, user, None):
        raise NotFound(f"{user} has no password.", f"They sign in with a link: `studio signin --user {user}`.")
    signal(db, "users", "", user)


def _remove(db: Connection, user: str, keep_session: str | None) -> bool:
    there = bool(db.execute(delete(passwords).where(passwords.c.user == user)).rowcount)
    if there:
        sessions.end_all(db, user, but=keep_session, via=PASSWORD)
    return there


class Passwords:
    """Checks and sets them for one server process: one hash at a time, in a thread, so that a flood of attempts takes
    one core and little memory; whoever finds too many waiting is told so."""

    def __init__(self, store: Store, audit: Audit, cost: Cost = hashing.DEFAULT) -> None:
        self._store = store
        self._audit = audit
        self._cost = cost
        self._attempts = Attempts()
        self._decoy = hashing.decoy(cost)
        self._turn = asyncio.Semaphore(1)
        self._waiting = 0

    async def sign_in(self, user: str, password: str, address: str, place: Place) -> tuple[Session, str]:
        """A session at the apex and its cookie's value; `Unauthenticated` in the same words, after the same time,
        whether the person or the password is wrong; `TooMany` before the wait of earlier failures is over."""
        wrong = Unauthenticated("The name or the password is wrong.", "Try again, or sign in with a link.")
        try:
            kept = await self._check(user, password, address, wrong)
        except StudioError as error:
            await self._note(user, place, error)
            raise
        renewed = None if hashing.is_made_with(kept, self._cost) else await self.make(password)

        def write(db: Connection) -> tuple[Session, str]:
            if find(db, user) != kept:
                raise wrong  # changed in the meantime
            if renewed is not None:
                db.execute(update(passwords).where(passwords.c.user == user).values(hashed=renewed))
            made = sessions.create_session(db, user, via=PASSWORD, place=place)
            self._audit.append(db, sessions.opening(made[0]))
            return made

        return await self._store.write(write)

    async def change(self, session_id: str, old: str | None, new: str, address: str) -> None:
        """The person of an apex session changes their own password. They show the old one, unless they came with a
        sign-in link just now."""
        session = await self._store.read(lambda db: sessions.get(db, session_id))
        if session.domain is not None:
            # Pages there show what members of the domain wrote.
            raise Denied("A password is not changed from a domain's page.", "Change it on Studio's own page.")
        check_new(new, session.user)
        wrong = Denied("The old password is wrong.", "Try again, or sign in with a link and set a new one.")
        kept = None
        if old is not None:
            kept = await self._check(session.user, old, address, wrong)
        elif not is_fresh(session):
            raise Denied(
                "The old password is needed.",
                "Send it, or sign in with a new link: for 15 minutes after that a password can be set without.",
            )
        hashed = await self.make(new)

        def write(db: Connection) -> None:
            sessions.get(db, session_id)
            if kept is not None and find(db, session.user) != kept:
                raise Conflict("The password was changed in the meantime.", "Try again with the new one.")
            put(db, session.user, hashed, keep_session=session_id)

        await self._store.write(write)

    async def _note(self, user: str, place: Place, error: StudioError) -> None:
        """A failure on record. Of names only those of people: some type their password into the wrong field."""
        known = is_name(user) and await self._store.read(lambda db: users.exists(db, user))
        entry = Entry(user if known else "", "anonymous", sessions.OPEN, DENIED, detail=error.message)
        await self._audit.refused(msgspec.structs.replace(entry, address=place.address))

    async def make(self, password: str) -> str:
        """What to keep of `password`; `Unavailable` if too many wait for the same."""
        return await self._alone(lambda: hashing.hash_password(password, self._cost))

    async def _check(self, user: str, password: str, address: str, wrong: StudioError) -> str:
        """What is kept of the person's password, if it is `password`; else raises `wrong`."""
        person, asked_from = user if is_name(user) else "", source(address)
        self._require_room()  # first: what is not tried is no failure
        self._attempts.begin(person, asked_from)
        kept = await self._store.read(lambda db: find(db, person)) if person else None
        is_odd = len(password) > MOST or not _is_text(password)
        # Always computed, whoever it is: the time must not tell who exists.
        tried = "" if is_odd else password
        fits = await self._alone(lambda: hashing.fits(tried, kept or self._decoy))
        if kept is None or is_odd or not fits:
            raise wrong
        self._attempts.succeeded(person, asked_from)
        return kept

    async def _alone(self, compute: Callable[[], T]) -> T:
        self._require_room()
        self._waiting += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(compute)
        finally:
            self._waiting -= 1

    def _require_room(self) -> None:
        if self._waiting >= QUEUE:
            raise Unavailable("Too many people are signing in at this moment.", "Try again in some seconds.")


def is_fresh(session: Session) -> bool:
    """Whether its person came with a sign-in link just now."""
    return session.via == sessions.LINK and now_ms() - session.created_ms < FRESH_MS


def _is_text(password: str) -> bool:
    """Whether it can be written down in UTF-8; JSON can hold halves of characters."""
    try:
        password.encode()
    except UnicodeEncodeError:
        return False
    return True
