"""Pictures of animals."""
