"""Who the customers are: identity, profile, 360° page, merges."""
