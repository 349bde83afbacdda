"""A scenario played with Studio and with a real MLflow server."""

import uuid
from collections.abc import Callable, Mapping

from tests.protocol import conversation, rules
from tests.protocol.conversation import Conversation

Scenario = Callable[[Conversation], None]
Meet = Callable[[Scenario, Mapping[str, str]], None]


def meet(ours: str, theirs: str, scenario: Scenario, different: Mapping[str, str]) -> None:
    """Plays it with both; fails if they differ in other steps than those of `different`, step → why."""
    tag = uuid.uuid4().hex[:8]
    talks = Conversation(ours, tag), Conversation(theirs, tag)
    for talk in talks:
        scenario(talk)
    wanted = {rule for rule, name in rules.CALLED.items() if name == scenario.__name__}
    assert all(wanted <= talk.heard for talk in talks), wanted - talks[0].heard
    found = conversation.differences(*talks)
    assert not (new := found.keys() - different.keys()), conversation.explain({key: found[key] for key in sorted(new)})
    assert not (gone := different.keys() - found.keys()), f"no longer different: {sorted(gone)}"
