"""InvokeEndpointAsync (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpointAsync.html).

Its InputLocation is a file of the domain; OutputLocation and FailureLocation are addresses of Studio's own wire."""

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from studio.access.principals import Principal
from studio.serving import async_notices
from studio.wire import async_requests
from studio.wire.context import Studio, studio
from studio.wire.permission import Allow

router = APIRouter()


@router.post("/domains/{domain}/endpoints/{name}/async-invocations")
async def invoke_endpoint_async(
    domain: str,
    name: str,
    request: Request,
    studio: Studio = Depends(studio),
    principal: Principal = Depends(Allow("serving.invoke")),
) -> Response:
    """Queues a prediction by the endpoint of the key's domain."""
    found = await async_requests.take(request, studio, principal, domain, name)
    result = async_notices.result_path(found)
    headers = {
        "x-amzn-sagemaker-outputlocation": studio.address + result,
        "x-amzn-sagemaker-failurelocation": studio.address + async_notices.path(found),
    }
    content = {
        "InferenceId": found.inference_id,
        "id": found.id,
        "inference_id": found.inference_id,
        "result": result,
    }
    return JSONResponse(content, 202, headers)
