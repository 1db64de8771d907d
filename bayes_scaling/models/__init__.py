"""Models: which responses are observed, which laws they follow, and what varies over what."""
