"""Names of Torchreid's modules that reidcore's facades do not have, with Torchreid's arguments."""
