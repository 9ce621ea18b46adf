"""Pictures of buildings."""
