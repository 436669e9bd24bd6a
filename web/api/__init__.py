"""The API, one module a noun: its routes with their schemas beside them."""
