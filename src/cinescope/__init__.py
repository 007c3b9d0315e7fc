"""Cinescope: search your videos by what is said and shown, on your own machine."""

__version__ = "0.1.0"
