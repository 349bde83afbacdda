"""The control plane: ASGI on unix sockets, one process; all APIs, all writes, the loops."""
