"""Batch jobs."""

from pydantic import Field

from studio.wire.rest.schemas.base import Body


class BatchBody(Body):
    """A file to score with a model version, in a job of the caller's."""

    model: str = Field(description="models:/NAME@ALIAS or models:/NAME/3")
    input: str = Field(description="A file as the caller sees it (shared/rows.csv), or a data set: NAME or NAME@HASH")
    output: str = Field("", description="Where the rows go with their predictions; default: beside the input.")
    name: str = Field("", description="Of the job; default: model, version and file.")
    format: str = Field("", description="Of the input: csv, tsv, jsonl or parquet; default: by its name.")
    chunk_rows: int = Field(10_000, description="Rows that are in memory at once.")
    dataset: str = Field("", description="Registers the output as a version of this data set.")
    environment: str = Field("", description="Default: the one that the model was trained in, else the domain's.")
    instance_type: str = Field("", description="Default: std.small")
