"""The transforms that training may ask for by name, a file each."""
