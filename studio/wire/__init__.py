"""One implementation under many wires: each package here is one protocol's routes, schemas and errors."""
