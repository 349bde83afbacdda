"""Data set → run → version → endpoint, from any of them both ways, composed for a reader."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from studio.data import datasets
from studio.errors import NotFound
from studio.registry import versions
from studio.registry.records import ModelVersion
from studio.serving import endpoints
from studio.serving.endpoints import Endpoint
from studio.serving.states import VariantState
from studio.tracking import loading, usage
from studio.tracking.conditions import CONTEXT_TAG
from studio.tracking.records import Run, RunInfo

MOST = 20  # runs or versions that one thing fans out to; the newest


@dataclass(frozen=True, slots=True)
class Node:
    """A thing in the graph. `item` is what its panel opens; empty if it has none (a data set that only a run knows)."""

    id: str
    kind: str  # dataset | run | version | endpoint
    name: str
    detail: str = ""
    state: str = ""
    item: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    """From what was used to what was made of it."""

    source: str
    target: str
    label: str = ""


@dataclass(slots=True)
class Graph:
    """`focus` are the nodes that were asked about; `cut`: more than `MOST` of something were left out."""

    focus: list[str] = field(default_factory=list)
    nodes: dict[str, Node] = field(default_factory=dict)
    edges: dict[tuple[str, str], Edge] = field(default_factory=dict)
    cut: bool = False

    def node(self, node: Node) -> str:
        """Adds it; its id."""
        self.nodes.setdefault(node.id, node)
        return node.id

    def edge(self, source: str, target: str, label: str = "") -> None:
        """Adds it, once."""
        self.edges.setdefault((source, target), Edge(source, target, label))


def of_run(db: Connection, domain: str, run_id: str) -> Graph:
    """What a run used, and what became of it."""
    run = loading.get(db, domain, run_id)
    graph = _graph(db, domain, [run], versions.of_run(db, domain, run_id))
    graph.focus = [_run_id(run.info)]
    return graph


def of_model(db: Connection, domain: str, name: str, version: int | None = None) -> Graph:
    """Where the versions of a model (or one of them) came from and where they are."""
    found = [versions.get(db, domain, name, version)] if version else versions.of_model(db, domain, name)
    graph = _graph(db, domain, _runs_of(db, domain, found[:MOST]), found[:MOST])
    graph.cut |= len(found) > MOST
    graph.focus = [_version_id(item) for item in found[:MOST]]
    return graph


def of_endpoint(db: Connection, domain: str, name: str) -> Graph:
    """What an endpoint serves, and from which data it was learnt."""
    endpoint = endpoints.get(db, domain, name)
    known = {item.version: item for item in versions.of_model(db, domain, endpoint.model)}
    found = [known[number] for number in sorted(deployed(endpoint)) if number in known]
    graph = _graph(db, domain, _runs_of(db, domain, found), found, [endpoint])
    graph.focus = [_endpoint(graph, endpoint)]
    return graph


def of_dataset(db: Connection, domain: str, name: str, digest: str = "") -> Graph:
    """What was learnt from a data set, and where that is."""
    infos = usage.runs_of_dataset(db, domain, name, digest, MOST + 1)
    if not infos and name not in {item.name for item in datasets.list_all(db, domain)}:
        raise NotFound(f"No run used a data set {name!r}.", "mlflow.log_input(…) in a run says what it used.")
    runs = loading.load(db, infos[:MOST])
    made = [item for run in runs for item in versions.of_run(db, domain, run.info.run_id)]
    graph = _graph(db, domain, runs, made)
    graph.cut |= len(infos) > MOST
    graph.focus = [node.id for node in graph.nodes.values() if node.kind == "dataset" and node.name == name]
    if not graph.focus:
        graph.focus = [graph.node(Node(f"dataset:{name}:", "dataset", name, item=name))]
    return graph


def deployed(endpoint: Endpoint) -> set[int]:
    """The versions that serve or are on their way; of an endpoint without such, the one that was asked for."""
    states = (VariantState.serving, VariantState.waiting)
    return {item.version for item in endpoint.variants if item.state in states} or {endpoint.version}


def _graph(
    db: Connection,
    domain: str,
    runs: Iterable[Run],
    made: Sequence[ModelVersion],
    served: Sequence[Endpoint] | None = None,
) -> Graph:
    graph = Graph(cut=len(made) > MOST)
    registered = {item.name for item in datasets.list_all(db, domain)}
    for run in runs:
        _add_run(graph, run, registered)
    for version in made[:MOST]:
        node = graph.node(
            Node(
                _version_id(version),
                "version",
                f"{version.name} v{version.version}",
                " ".join(f"@{alias}" for alias in version.aliases),
                item=f"{version.name}/{version.version}",
            )
        )
        if version.run_id and f"run:{version.run_id}" in graph.nodes:
            graph.edge(f"run:{version.run_id}", node)
    for endpoint in endpoints.list_endpoints(db, domain) if served is None else served:
        serving = endpoint.serving.version if endpoint.serving else None
        for number in deployed(endpoint):
            source = f"version:{endpoint.model}/{number}"
            if source in graph.nodes:
                graph.edge(source, _endpoint(graph, endpoint), "" if number == serving else "on its way")
    return graph


def _add_run(graph: Graph, run: Run, registered: set[str]) -> None:
    info = run.info
    node = graph.node(Node(_run_id(info), "run", info.name, info.owner or info.user_id, info.status, info.run_id))
    for used in run.datasets:
        dataset = used.dataset
        item = dataset.name if dataset.name in registered else ""
        source = Node(f"dataset:{dataset.name}:{dataset.digest}", "dataset", dataset.name, dataset.digest, item=item)
        context = next((tag.value for tag in used.tags if tag.key == CONTEXT_TAG), "")
        graph.edge(graph.node(source), node, context)


def _endpoint(graph: Graph, endpoint: Endpoint) -> str:
    id = f"endpoint:{endpoint.name}"
    return graph.node(Node(id, "endpoint", endpoint.name, endpoint.mode, endpoint.state, endpoint.name))


def _runs_of(db: Connection, domain: str, found: Iterable[ModelVersion]) -> list[Run]:
    return loading.load(db, usage.find_runs(db, domain, {item.run_id for item in found if item.run_id}))


def _run_id(info: RunInfo) -> str:
    return f"run:{info.run_id}"


def _version_id(version: ModelVersion) -> str:
    return f"version:{version.name}/{version.version}"
