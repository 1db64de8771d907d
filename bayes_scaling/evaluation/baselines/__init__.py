"""Published estimators, fitted as their authors do."""
