"""Evidence from a photo: the picture, the text in it, the cues in that text and the constraints derived from them."""
