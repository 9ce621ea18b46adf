"""Pictures of athletes."""
