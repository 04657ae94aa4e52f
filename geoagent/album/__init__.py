"""Photos of an album as evidence for one another: motion, time lines, devices and clocks."""
