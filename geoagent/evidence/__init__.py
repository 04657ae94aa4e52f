"""What a photo says: the picture, the text in it, the cues that the text holds and the constraints that follow."""
