"""Tables of runs and plans: their columns, how they are read and checked, and what ships with the package."""
