"""Predictions that are made later: for many rows, slow models, endpoints that sleep."""

import io
import json
import time
from typing import Any

from studio.guest.sdk.answers import Answer
from studio.guest.sdk.call import PAUSE_S, CallFailed, call, in_domain, save, segment
from studio.guest.sdk.serving import body_of

ENDED = ("Done", "Failed", "Expired")


class AsyncInvocation(Answer):
    """One; attributes are those of the REST answer (state, reason, attempts, …), as they were when read."""

    noun = "An async invocation"

    def __repr__(self) -> str:
        return f"<{self.id} of {self.endpoint}: {self.state}>"

    def refresh(self) -> "AsyncInvocation":
        """Reads it again."""
        self.found = call("GET", self._path())
        return self

    def wait(self, timeout_s: float = 3600.0) -> "AsyncInvocation":
        """Returns when it has ended; `CallFailed` if there is no answer."""
        deadline = time.monotonic() + timeout_s
        while self.refresh().state not in ENDED:
            if time.monotonic() > deadline:
                raise CallFailed(f"{self.id} still waits after {timeout_s:.0f} s.", "It goes on.", "TIMEOUT")
            time.sleep(PAUSE_S)
        if self.state != "Done":
            raise CallFailed(f"{self.id} {self.state.lower()}: {self.reason}", "Ask again.", "FAILED")
        return self

    def predictions(self) -> list[Any]:
        """One for each row; waits for them."""
        answer = io.BytesIO()
        save(f"api/v1/{self.wait()._path()}/result", answer)
        found = json.loads(answer.getvalue())
        predictions: list[Any] = found["predictions"] if isinstance(found, dict) else found
        return predictions

    def _path(self) -> str:
        return in_domain(f"endpoints/{segment(self.endpoint)}/async-invocations/{segment(self.id)}")


def invoke_async(endpoint: str, rows: Any) -> AsyncInvocation:
    """Asks the endpoint for one prediction per row and returns at once; `rows` is a DataFrame, or a list of
    dictionaries."""
    path = in_domain(f"endpoints/{segment(endpoint)}/async-invocations")
    return AsyncInvocation(call("POST", path, body_of(rows)))
