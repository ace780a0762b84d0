"""What runs on a booth of the demo: a device's program that does nothing but be there until it is ended."""

import signal

signal.pause()
