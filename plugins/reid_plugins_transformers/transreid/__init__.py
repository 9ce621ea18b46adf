"""TransReID, and vision transformers pre-trained on people, which are one network."""
