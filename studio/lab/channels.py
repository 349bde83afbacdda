"""The websocket between a page and its kernel: no message waits for another, and none is lost to a restart."""

from typing import Any
from uuid import uuid4

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection


class PromptConnection(ZMQChannelsWebsocketConnection):
    """jupyter_server never sets TCP_NODELAY, so each small answer waits for the acknowledgement of the one before it.
    On a unix socket there is no Nagle (tornado ignores the call); the gateway sets it on the browser's side."""

    async def connect(self) -> Any:
        """Opens the channels with small messages going out at once."""
        self.websocket_handler.set_nodelay(True)
        return await super().connect()

    def create_stream(self) -> None:
        """As Jupyter's, with an identity of this connection's own. Its own is the page's: while the connection that a
        page lost is still there, the kernel answers that one and never the new one (ZMQ_ROUTER_HANDOVER)."""
        identity = uuid4().hex.encode()
        for channel in ("iopub", "shell", "control", "stdin"):
            stream = getattr(self.kernel_manager, f"connect_{channel}")(identity=identity)
            stream.channel = channel
            self.channels[channel] = stream

    async def settle(self) -> None:
        """Returns when what a restarted kernel says arrives here. Its sockets have the names that they had, so this
        connection comes back by itself; a cell sent before that would run, and its output be lost."""
        await self.nudge()
        for stream in self.channels.values():
            stream.on_recv_stream(self.handle_outgoing_message)


def connections(kernel_id: str) -> list[PromptConnection]:
    """The pages that are connected to the kernel."""
    opened = list(PromptConnection._open_sockets)
    return [found for found in opened if found.kernel_id == kernel_id and found.channels]
