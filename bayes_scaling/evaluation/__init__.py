"""How good forecasts are: scores, splits, cross-validation, weights and comparisons of laws."""
