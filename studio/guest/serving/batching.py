"""Micro-batching: one prediction on everything that has arrived since the last one, waited for only where that pays."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

from studio.guest.serving.forms import Foreign, Form
from studio.guest.serving.inputs import Parsed
from studio.guest.serving.lingering import TICK_S, Lingering
from studio.guest.serving.models import Model
from studio.guest.serving.native import NativeModel
from studio.guest.serving.problems import BadInput

# scikit-learn's cost per call is fixed up to about here; more rows would only make the others wait.
MAX_ROWS = 1024
MAX_QUEUE = 10_000


class Call(msgspec.Struct, eq=False):
    """One request: `answer(status, body, rows, microseconds, about)` is called once, in the order of arrival; `about`
    is merged into the answer's head."""

    body: bytes
    form: Form
    answer: Callable[[int, bytes, int, int, dict[str, Any] | None], None]
    cancelled: bool = False

    def refuse(self, problem: BadInput, rows: int = 0) -> None:
        """Answers with what is wrong, in the call's own form."""
        self.answer(problem.status, self.form.problem(problem), rows, 0, None)


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
        self._lingering = Lingering()

    def __len__(self) -> int:
        return len(self._queue)

    def add(self, call: Call) -> None:
        """Takes a call, or answers 503 at once if too many wait."""
        if len(self._queue) >= MAX_QUEUE:
            text = "Too many requests wait for this replica."
            call.refuse(BadInput(text, "Try again later.", code="REQUEST_LIMIT_EXCEEDED", status=503))
            return
        self._queue.append(call)
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._run)

    def _run(self) -> None:
        if isinstance(self._model, NativeModel):
            if self._model.row_wise and self._lingering.waits(len(self._queue), time.monotonic()):
                self._loop.call_later(TICK_S, self._run)
                return
            self._scheduled = False
            self._joined(self._model)
        else:
            self._scheduled = False
            self._one(self._model)
        if self._queue and not self._scheduled:
            # Back to the loop first: what arrived meanwhile joins the next batch.
            self._scheduled = True
            self._loop.call_soon(self._run)
        self._after()

    def _one(self, model: Foreign) -> None:
        call = self._queue.popleft()
        if call.cancelled:
            return
        begun = time.perf_counter_ns()
        try:
            body, about = call.form.foreign(model, call.body)
        except BadInput as problem:
            call.refuse(problem, 1)
        except Exception as error:
            text = f"The replica failed: {type(error).__name__}: {error}"
            call.refuse(BadInput(text, code="INTERNAL_ERROR", status=500), 1)
        else:
            call.answer(200, body, 1, (time.perf_counter_ns() - begun) // 1000, about)

    def _joined(self, model: NativeModel) -> None:
        """Parses and predicts the front of the queue: as many calls as have equal keys and fit the cap of rows."""
        batch: list[tuple[Call, Parsed]] = []
        rows = 0
        while self._queue:
            call = self._queue[0]
            if call.cancelled:
                self._queue.popleft()
                continue
            try:
                parsed = call.form.parse(model.inputs, call.body)
            except Exception as error:
                # Answered in its turn: what is ahead of it in the batch is answered first.
                self._predict(model, batch)
                batch, rows = [], 0
                self._queue.popleft()
                text = f"The input cannot be read: {type(error).__name__}: {error}"
                call.refuse(error if isinstance(error, BadInput) else BadInput(text))
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

    def _predict(self, model: NativeModel, batch: list[tuple[Call, Parsed]]) -> None:
        if not batch:
            return
        if len(batch) == 1:
            self._alone(model, *batch[0])
            return
        begun = time.perf_counter_ns()
        try:
            result = model.predict(_join([parsed for _, parsed in batch]))
            whole = len(result) == sum(parsed.rows for _, parsed in batch)
        except Exception:
            whole = False
        if not whole:
            # One bad row must not fail the others: each gets its own prediction or its own error.
            for call, parsed in batch:
                self._alone(model, call, parsed)
            return
        spent = (time.perf_counter_ns() - begun) // 1000
        self._lingering.predicted(len(batch), spent / 1e6)
        at = 0
        for call, parsed in batch:
            _tell(call, parsed, result[at : at + parsed.rows], spent)
            at += parsed.rows

    def _alone(self, model: NativeModel, call: Call, parsed: Parsed) -> None:
        begun = time.perf_counter_ns()
        try:
            result = model.predict(parsed.data)
        except Exception as error:
            text = f"The model failed on this input: {type(error).__name__}: {error}"[:4000]
            call.refuse(BadInput(text, "Compare it with the model's input example."), parsed.rows)
            return
        spent = (time.perf_counter_ns() - begun) // 1000
        self._lingering.predicted(1, spent / 1e6)
        _tell(call, parsed, result, spent)


def _tell(call: Call, parsed: Parsed, result: Any, spent: int) -> None:
    try:
        body, about = call.form.answer(result, parsed)
    except Exception as error:
        text = f"The prediction cannot be sent: {type(error).__name__}: {error}"[:4000]
        call.refuse(error if isinstance(error, BadInput) else BadInput(text), parsed.rows)
        return
    call.answer(200, body, parsed.rows, spent, about)


def _join(parts: list[Parsed]) -> Any:
    if hasattr(parts[0].data, "tobytes"):
        import numpy

        return numpy.concatenate([part.data for part in parts])
    import pandas

    return pandas.concat([part.data for part in parts], ignore_index=True, copy=False)
