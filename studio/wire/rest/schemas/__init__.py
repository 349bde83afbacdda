"""Shapes of requests and answers; the TypeScript types are generated from them."""
