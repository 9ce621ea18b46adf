"""Pictures of people by cameras of two kinds: visible light, and infrared or heat."""
