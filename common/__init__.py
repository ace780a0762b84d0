"""The language both programs speak and the laws both obey; it does not know which side it is on."""
