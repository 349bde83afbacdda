"""BentoML, with its adaptive batching."""

import os

import bentoml
import joblib
import numpy


@bentoml.service(workers=1, traffic={"timeout": 60}, logging={"access": {"enabled": False}})
class Served:
    """One model."""

    def __init__(self) -> None:
        self.model = joblib.load(os.environ["MODEL"])

    @bentoml.api(batchable=True, max_batch_size=256, max_latency_ms=1000, route="/predict")
    def predict(self, inputs: numpy.ndarray) -> numpy.ndarray:
        return self.model.predict(inputs)
