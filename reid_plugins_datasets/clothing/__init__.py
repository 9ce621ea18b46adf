"""Pictures of people who change their clothes."""
