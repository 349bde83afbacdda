"""No-wait micro-batching: one prediction on everything that has arrived since the last one."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

from studio.guest.serving import answers
from studio.guest.serving.inputs import Parsed
from studio.guest.serving.models import Model, PyfuncModel, SklearnModel
from studio.guest.serving.problems import BadInput

# scikit-learn's cost per call is fixed up to about here; more rows would only make the others wait.
MAX_ROWS = 1024
MAX_QUEUE = 10_000


class Call(msgspec.Struct, eq=False):
    """One request: `answer(status, body, rows, microseconds, headers)` is called once, in the order of arrival."""

    body: bytes
    content_type: str
    answer: Callable[[int, bytes, int, int, dict[str, str] | None], None]
    cancelled: bool = False


class Batcher:
    """Queues calls and predicts as soon as the loop has read what had arrived. First in, first out."""

    def __init__(
        self, model: Model, loop: asyncio.AbstractEventLoop, after: Callable[[], None], max_rows: int = MAX_ROWS
    ) -> None:
        self._model = model
        self._loop = loop
        self._after = after
        self._max_rows = max_rows
        self._queue: deque[Call] = deque()
        self._scheduled = False

    def __len__(self) -> int:
        return len(self._queue)

    def add(self, call: Call) -> None:
        """Takes a call, or answers 503 at once if too many wait."""
        if len(self._queue) >= MAX_QUEUE:
            call.answer(
                503,
                _error("REQUEST_LIMIT_EXCEEDED", "Too many requests wait for this replica. Try again later."),
                0,
                0,
                None,
            )
            return
        self._queue.append(call)
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._run)

    def _run(self) -> None:
        self._scheduled = False
        if isinstance(self._model, PyfuncModel):
            self._one(self._model)
        else:
            self._joined(self._model)
        if self._queue and not self._scheduled:
            # Back to the loop first: what arrived meanwhile joins the next batch.
            self._scheduled = True
            self._loop.call_soon(self._run)
        self._after()

    def _one(self, model: PyfuncModel) -> None:
        call = self._queue.popleft()
        if call.cancelled:
            return
        begun = time.perf_counter_ns()
        try:
            status, body = model.invoke(call.body, call.content_type)
        except BadInput as problem:
            status, body = problem.status, problem.body()
        except Exception as error:
            status, body = 500, _error("INTERNAL_ERROR", f"The replica failed: {type(error).__name__}: {error}")
        call.answer(status, body, 1, (time.perf_counter_ns() - begun) // 1000, None)

    def _joined(self, model: SklearnModel) -> None:
        """Parses and predicts the front of the queue: as many calls as have equal keys and fit the cap of rows."""
        batch: list[tuple[Call, Parsed]] = []
        rows = 0
        while self._queue:
            call = self._queue[0]
            if call.cancelled:
                self._queue.popleft()
                continue
            try:
                parsed = model.inputs.parse(call.body, call.content_type)
            except BadInput as problem:
                # Answered in its turn: what is ahead of it in the batch is answered first.
                self._predict(model, batch)
                batch, rows = [], 0
                self._queue.popleft()
                call.answer(problem.status, problem.body(), 0, 0, None)
                continue
            except Exception as error:
                self._predict(model, batch)
                batch, rows = [], 0
                self._queue.popleft()
                call.answer(
                    400, _error("BAD_REQUEST", f"The input cannot be read: {type(error).__name__}: {error}"), 0, 0, None
                )
                continue
            if batch and (not model.row_wise or parsed.key != batch[0][1].key or rows + parsed.rows > self._max_rows):
                self._predict(model, batch)
                batch, rows = [], 0
            self._queue.popleft()
            batch.append((call, parsed))
            rows += parsed.rows
            if rows >= self._max_rows:
                break
        self._predict(model, batch)

    def _predict(self, model: SklearnModel, batch: list[tuple[Call, Parsed]]) -> None:
        if not batch:
            return
        if len(batch) == 1:
            self._alone(model, *batch[0])
            return
        begun = time.perf_counter_ns()
        try:
            result = model.predict(_join([parsed for _, parsed in batch]))
            values = result.tolist()
        except Exception:
            # One bad row must not fail the others: each gets its own prediction or its own error.
            for call, parsed in batch:
                self._alone(model, call, parsed)
            return
        if len(values) != sum(parsed.rows for _, parsed in batch):
            for call, parsed in batch:
                self._alone(model, call, parsed)
            return
        spent = (time.perf_counter_ns() - begun) // 1000
        at = 0
        for call, parsed in batch:
            call.answer(200, answers.encode(values[at : at + parsed.rows]), parsed.rows, spent, _headers(parsed))
            at += parsed.rows

    def _alone(self, model: SklearnModel, call: Call, parsed: Parsed) -> None:
        begun = time.perf_counter_ns()
        try:
            body = answers.encode(model.predict(parsed.data))
        except Exception as error:
            text = f"The model failed on this input: {type(error).__name__}: {error}"[:4000]
            call.answer(
                400, _error("BAD_REQUEST", f"{text} Compare it with the model's input example."), parsed.rows, 0, None
            )
            return
        call.answer(200, body, parsed.rows, (time.perf_counter_ns() - begun) // 1000, _headers(parsed))


def _join(parts: list[Parsed]) -> Any:
    if isinstance(parts[0].data, list) or hasattr(parts[0].data, "tobytes"):
        import numpy

        return numpy.concatenate([part.data for part in parts])
    import pandas

    return pandas.concat([part.data for part in parts], ignore_index=True, copy=False)


def _headers(parsed: Parsed) -> dict[str, str] | None:
    if not parsed.ignored:
        return None
    # MLflow leaves extra columns out without a word; the header says which.
    return {
        "x-studio-ignored-columns": ",".join(
            name.encode("ascii", "backslashreplace").decode() for name in parsed.ignored[:50]
        )
    }


def _error(code: str, message: str) -> bytes:
    return msgspec.json.encode({"error_code": code, "message": message})
