"""What runs on a booth of the demo: a program that is there until it is ended, and no more."""

import signal

signal.pause()
