"""FastAPI + uvicorn."""

import os

import joblib
import numpy
from fastapi import FastAPI
from pydantic import BaseModel

model = joblib.load(os.environ["MODEL"])
app = FastAPI()


class Rows(BaseModel):
    """The body."""

    inputs: list[list[float]]


@app.post("/predict")
async def predict(rows: Rows) -> dict[str, list[float]]:
    """In the loop: one worker, and a thread would only cost."""
    return {"predictions": model.predict(numpy.array(rows.inputs)).tolist()}
