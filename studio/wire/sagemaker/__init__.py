"""SageMaker's runtime as far as the server answers it, for `boto3.client("sagemaker-runtime")`: the gateway answers
InvokeEndpoint itself, checks whose signature or key a request bears, and leads the rest here."""

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from studio.errors import StudioError
from studio.wire.sagemaker import errors, routes


def build() -> FastAPI:
    """The wire, without a context."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.router.routes.extend(routes.router.routes)
    for kind in (StudioError, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, errors.answer)
    return app
