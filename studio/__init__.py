"""Studio: a machine-learning studio in the browser, on hardware you own."""

__version__ = "0.1.0"
