"""The live page and the quiz on it: an ASGI application over the same core as the terminal.

Nothing is written but a learner's progress, and nothing is read but captures/. It listens on
loopback, checks whom a request is addressed to, and plays only for who has the page's token.
"""
