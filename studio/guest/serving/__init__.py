"""The replica host: loads one model, answers frames. Heavy libraries are imported inside functions, after the fork."""
