"""The county's case system asks here for scores."""
