"""Refits: the one engine that fits laws again, to other rows, in parallel, and keeps what is done."""
