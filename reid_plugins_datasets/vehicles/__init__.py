"""Pictures of vehicles."""
