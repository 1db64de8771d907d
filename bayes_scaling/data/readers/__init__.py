"""Readers of tables that others have published, one module each."""
