"""Figures and text for people."""
