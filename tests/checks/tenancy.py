"""Fails for a query on a domain's table that goes round `store.tenancy.scope_query`: python -m tests.checks.tenancy

It reads the syntax tree. A statement is a chain that begins with select, update or delete; every table with a `domain`
that it mentions counts. It is right inside `scope_query(…)`, or when the name it is given to is scoped in the same
function (of a module's constant: wherever it is used), or inside a function of the file that scopes what it is given.
"""

import ast
import importlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Table

ROOT = Path(__file__).resolve().parents[2]
TABLES = "studio.store.tables"
BEGINNINGS = ("select", "update", "delete")
BEYOND = ("EVERY", "FOUND", "COMPARED")
METHODS = ("select", "update", "delete")

# Function → why its statements are of no single domain. Short and literal on purpose.
EXCEPTIONS: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Finding:
    """A statement that goes round."""

    path: str
    line: int
    function: str
    tables: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.path}:{self.line} {self.function}: {', '.join(self.tables)} not through scope_query"


class Names:
    """What names of a file mean: tables, modules of tables, and short names for either (`c = t.runs.c`), which hold in
    their function."""

    def __init__(self, tree: ast.Module) -> None:
        self._meanings: list[dict[str, object]] = [{}]
        self.beginnings: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                self._imported(node)
        self._learn(tree.body)

    def enter(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """What is assigned in `function` means something only there."""
        self._meanings.append({argument.arg: None for argument in function.args.args})
        self._learn(function.body)

    def leave(self) -> None:
        """Back outside."""
        self._meanings.pop()

    def _learn(self, body: list[ast.stmt]) -> None:
        outside = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        inside = [part for item in body if not isinstance(item, outside) for part in ast.walk(item)]
        # Twice, since a short name may be made of another.
        for node in [part for part in inside if isinstance(part, ast.Assign)] * 2:
            self._assigned(node)

    def _imported(self, node: ast.ImportFrom) -> None:
        for name in node.names:
            given = name.asname or name.name
            if node.module == "sqlalchemy" and name.name in BEGINNINGS:
                self.beginnings.add(given)
            elif node.module == TABLES:
                self._meanings[0][given] = importlib.import_module(f"{TABLES}.{name.name}")
            elif node.module and node.module.startswith(f"{TABLES}."):
                self._meanings[0][given] = getattr(importlib.import_module(node.module), name.name)

    def _assigned(self, node: ast.Assign) -> None:
        for target in node.targets:
            pairs: list[tuple[ast.expr, ast.expr]] = [(target, node.value)]
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = list(zip(target.elts, node.value.elts, strict=False))
            for name, value in pairs:
                if isinstance(name, ast.Name):
                    self._meanings[-1][name.id] = self._any_table(value)

    def _meaning(self, name: str) -> object:
        return next((known[name] for known in reversed(self._meanings) if name in known), None)

    def _any_table(self, node: ast.AST) -> Table | None:
        """The table that an expression is: `t.runs`, `runs.c`, `runs.alias()`."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "alias":
            return self._any_table(node.func.value)
        if isinstance(node, ast.Attribute) and node.attr == "c":
            return self._any_table(node.value)
        found = self._meaning(node.id) if isinstance(node, ast.Name) else None
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found = getattr(self._meaning(node.value.id), node.attr, None)
        return found if isinstance(found, Table) else None

    def table(self, node: ast.AST) -> Table | None:
        """The same, if it has a domain."""
        found = self._any_table(node)
        return found if found is not None and "domain" in found.c else None

    def mentioned(self, node: ast.AST) -> set[str]:
        """The names of all tables with a domain in an expression."""
        return {found.name for part in ast.walk(node) if (found := self.table(part)) is not None}


class _File(ast.NodeVisitor):
    def __init__(self, path: str, tree: ast.Module) -> None:
        self.findings: list[Finding] = []
        self._path = path
        self._tree = tree
        self._names = Names(tree)
        self._scoping = {"scope_query", *_wrappers(tree)}
        self._functions: list[ast.AST] = []
        self._assigned: list[str] = []

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._visit_function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._visit_function(node)

    def _visit_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._functions.append(node)
        self._names.enter(node)
        self.generic_visit(node)
        self._names.leave()
        self._functions.pop()

    def visit_Assign(self, node: ast.Assign) -> None:
        self._assigned.append(node.targets[0].id if isinstance(node.targets[0], ast.Name) else "")
        self.generic_visit(node)
        self._assigned.pop()

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name) and node.func.id in self._scoping:
            self._check_scope(node)
            return
        if self._begins(node):
            tables = self._names.mentioned(node)
            if tables and not self._is_scoped_later():
                self._found(node, tables)
            return
        if isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
            own = self._names.table(node.func.value)
            if own is not None:
                self._found(node, {own.name})
        self.generic_visit(node)

    def _begins(self, node: ast.AST) -> bool:
        """Whether a chain of calls begins with one of SQLAlchemy's statements."""
        while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            node = node.func.value
        return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in self._names.beginnings

    def _check_scope(self, node: ast.Call) -> None:
        """`scope_query(statement, table, domain)` with a table that the statement is not about says nothing."""
        if isinstance(node.func, ast.Name) and node.func.id == "scope_query" and len(node.args) == 3:
            own = self._names.table(node.args[1])
            if isinstance(node.args[2], ast.Name) and node.args[2].id in BEYOND:
                return
            mentioned = self._names.mentioned(node.args[0])
            if own is not None and mentioned and own.name not in mentioned:
                self._found(node, {own.name})

    def _is_scoped_later(self) -> bool:
        name = self._assigned[-1] if self._assigned else ""
        if not name:
            return False
        if self._functions:
            return any(_first(call) == name for call in self._scopings(self._functions[-1]))
        uses = [part for part in ast.walk(self._tree) if isinstance(part, ast.Name) and part.id == name]
        loads = [part for part in uses if isinstance(part.ctx, ast.Load)]
        return bool(loads) and len(loads) == sum(_first(call) == name for call in self._scopings(self._tree))

    def _scopings(self, node: ast.AST) -> Iterator[ast.Call]:
        for part in ast.walk(node):
            if isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id in self._scoping:
                yield part

    def _found(self, node: ast.Call, tables: set[str]) -> None:
        named = [getattr(item, "name", "") for item in self._functions]
        function = ".".join(named) or (self._assigned[-1] if self._assigned else "")
        self.findings.append(Finding(self._path, node.lineno, function, tuple(sorted(tables))))


def _first(call: ast.Call) -> str:
    """The name that a call is given first, or with which a chain in that place begins."""
    node: ast.AST | None = call.args[0] if call.args else None
    while isinstance(node, (ast.Call, ast.Attribute)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _wrappers(tree: ast.Module) -> set[str]:
    """Functions of the file that scope the statement they are given first."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.args.args:
            given = node.args.args[0].arg
            for part in ast.walk(node):
                is_scope = (
                    isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id == "scope_query"
                )
                if is_scope and _first(part) == given:  # type: ignore[arg-type]
                    found.add(node.name)
    return found


def check(path: str, text: str) -> list[Finding]:
    """What goes round in one file."""
    tree = ast.parse(text)
    file = _File(path, tree)
    file.visit(tree)
    return file.findings


def sources() -> Iterator[Path]:
    """The files of the product that may ask the database: all but those that make the tables."""
    for path in sorted((ROOT / "studio").rglob("*.py")):
        if path.relative_to(ROOT).parts[1] != "store":
            yield path


def main() -> int:
    """0 if nothing goes round, and every exception is still needed."""
    found = [item for path in sources() for item in check(str(path.relative_to(ROOT)), path.read_text())]
    excused = {f"{item.path}:{item.function}" for item in found} & set(EXCEPTIONS)
    wrong = [str(item) for item in found if f"{item.path}:{item.function}" not in excused]
    wrong += [f"{name}: the exception is not needed any more" for name in EXCEPTIONS if name not in excused]
    print(*wrong, sep="\n", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
