"""Pictures of people who are hidden or cut off."""
