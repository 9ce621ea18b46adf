"""Pictures of people and vehicles that a game engine has drawn."""
