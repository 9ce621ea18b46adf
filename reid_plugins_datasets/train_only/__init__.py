"""Pictures of people to learn from only, which FastReID adds to larger sources."""
