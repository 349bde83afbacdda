"""Children that are being forked: their groups are made meanwhile, and the kernel's lock is warmed.

Moving a process into a group takes a lock that the kernel gives only after a grace period of 5 to 15 ms, and at once
for a while after that (`cgroup_threadgroup_rwsem`, kernel/cgroup/cgroup.c). A move that changes nothing, made while the
fork is under way, has the waiting done when the child says hello.
"""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from studio.runtime import limits
from studio.runtime.specs import Limits

if TYPE_CHECKING:
    from studio.supervisor.box import Box

_MOST = 16
_WAIT_S = 15.0


class Coming:
    """Groups of announced children by name. Anything inside may announce: what does not come is taken back."""

    def __init__(self, box: "Box") -> None:
        self._box = box
        self._groups: dict[str, asyncio.Task[limits.Group]] = {}
        self._removing: set[asyncio.Task[None]] = set()

    def announce(self, name: str) -> None:
        """A child of that name is being forked, which nobody asked for here."""
        if name in self._groups or len(self._groups) >= _MOST:
            return
        self._groups[name] = self.begin(name, self._box.spec.child_limits)
        asyncio.get_running_loop().call_later(_WAIT_S, self._late, name, self._groups[name])

    def begin(self, name: str, limit: Limits) -> "asyncio.Task[limits.Group]":
        """Makes the group of a child."""
        return asyncio.create_task(asyncio.to_thread(self._make, name, limit))

    def take(self, name: str) -> "asyncio.Task[limits.Group]":
        """The group of a child that has come."""
        return self._groups.pop(name, None) or self.begin(name, self._box.spec.child_limits)

    def _make(self, name: str, limit: Limits) -> limits.Group:
        box = self._box
        made = limits.make(box.hierarchy, name, limit, box.group)
        with suppress(OSError):
            limits.enter(box.group, box.handle.pid)
        return made

    def _late(self, name: str, task: "asyncio.Task[limits.Group]") -> None:
        if self._groups.get(name) is task:
            del self._groups[name]
            removing = asyncio.create_task(self._remove(task))
            self._removing.add(removing)
            removing.add_done_callback(self._removing.discard)

    async def _remove(self, task: "asyncio.Task[limits.Group]") -> None:
        await asyncio.to_thread(limits.remove, await task)
