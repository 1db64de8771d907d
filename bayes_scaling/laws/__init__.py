"""Formulas with priors: how an expected score follows from a run, and how observed scores scatter around it."""
