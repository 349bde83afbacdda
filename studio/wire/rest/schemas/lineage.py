"""Where things came from and what became of them."""

from studio.wire.rest.schemas.base import Answer


class NodeAnswer(Answer):
    """`kind`: dataset, run, version or endpoint; `item` is what its panel opens, empty if it has none."""

    id: str
    kind: str
    name: str
    detail: str
    state: str
    item: str


class EdgeAnswer(Answer):
    """From what was used to what was made of it."""

    source: str
    target: str
    label: str


class LineageAnswer(Answer):
    """`focus`: the nodes that were asked about; `cut`: older ones were left out."""

    focus: list[str]
    nodes: list[NodeAnswer]
    edges: list[EdgeAnswer]
    cut: bool
