"""A network lab that records real TCP and UDP, explains it and proves it."""

__version__ = "0.1.0"
