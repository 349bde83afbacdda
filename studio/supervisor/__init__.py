"""The one process that spawns: gateway, server, sandboxes and what runs in them."""
