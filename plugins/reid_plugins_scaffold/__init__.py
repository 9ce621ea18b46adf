"""For authors of plugins: new packages, and checks of what plugins register."""
