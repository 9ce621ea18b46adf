"""A scene of several cameras: people who walk from one to the next, as video with its truth.

`settings` says what a scene is made from; `routes` who is where and when; `walk` how somebody
crosses the view of a camera; `filming` what the camera records of it; `tracker` what a tracker of
that camera alone would tell; and `make` writes it all in MOTChallenge's layout.
"""
