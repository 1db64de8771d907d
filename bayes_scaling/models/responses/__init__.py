"""Responses: what can be observed of a run and forecast, one module each."""
