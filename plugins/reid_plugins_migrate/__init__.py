"""What was made for Torchreid or FastReID, brought over: scripts, configurations, checkpoints."""
