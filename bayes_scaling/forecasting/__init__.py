"""What a fit says about runs that have not been made yet."""
