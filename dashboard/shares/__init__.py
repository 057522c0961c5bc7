"""Frozen views for people without an account: files rendered once, behind a link that ends."""
