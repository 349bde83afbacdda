"""A scenario played with Studio and with a real MLflow server."""

import uuid
from collections.abc import Callable, Mapping

from tests.protocol import conversation, rules
from tests.protocol.conversation import Conversation

Scenario = Callable[[Conversation], None]
Meet = Callable[[Scenario, Mapping[str, str]], None]
_theirs: dict[str, Conversation] = {}  # one conversation with MLflow is enough for Studio on several databases


def meet(ours: str, theirs: str, scenario: Scenario, different: Mapping[str, str]) -> None:
    """Plays it with both; fails if they differ in other steps than those of `different`, step → why."""
    name = scenario.__name__
    if name not in _theirs:
        talk = Conversation(theirs, uuid.uuid4().hex[:8])
        scenario(talk)
        _theirs[name] = talk
    wanted = _theirs[name]
    given = Conversation(ours, wanted.tag)
    scenario(given)
    missing = {rule for rule, by in rules.CALLED.items() if by == name} - (given.heard & wanted.heard)
    assert missing == set(), "it was to call these"
    found = conversation.differences(given, wanted)
    assert not (new := found.keys() - different.keys()), conversation.explain({key: found[key] for key in sorted(new)})
    assert not (gone := different.keys() - found.keys()), f"no longer different: {sorted(gone)}"
