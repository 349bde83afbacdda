"""LitServe; BATCH: rows that are predicted together."""

import os
import sys
from typing import Any

import joblib
import litserve
import numpy

BATCH = int(os.environ.get("BATCH", "1"))


class Served(litserve.LitAPI):
    """One model."""

    def setup(self, device: str) -> None:
        self.model = joblib.load(os.environ["MODEL"])

    def decode_request(self, request):  # type: ignore[no-untyped-def]  # a type would make it a part of the address
        return numpy.array(request["inputs"])

    def batch(self, inputs: list[Any]) -> Any:
        return numpy.concatenate(inputs)

    def predict(self, x: Any) -> Any:
        return self.model.predict(x)

    def unbatch(self, output: Any) -> Any:
        return [[value] for value in output]

    def encode_response(self, output: Any) -> Any:
        return {"predictions": [float(value) for value in output]}


if __name__ == "__main__":
    api = Served(max_batch_size=BATCH, batch_timeout=0.002) if BATCH > 1 else Served()
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1)
    server.run(port=int(sys.argv[1]), host="127.0.0.1", generate_client_file=False, log_level="warning")
