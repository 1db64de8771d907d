"""What planners ask of a fit: what a target costs, what more compute buys, what a forecast is worth."""
