"""The websocket between a page and its kernel, without the 20 ms that Nagle's algorithm adds to each cell."""

from typing import Any

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection


class PromptConnection(ZMQChannelsWebsocketConnection):
    """jupyter_server never sets TCP_NODELAY, so each small answer waits for the acknowledgement of the one before it.
    On a unix socket there is no Nagle (tornado ignores the call); the gateway sets it on the browser's side."""

    async def connect(self) -> Any:
        """Opens the channels with small messages going out at once."""
        self.websocket_handler.set_nodelay(True)
        return await super().connect()
