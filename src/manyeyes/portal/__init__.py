"""The face that researchers and the public see."""
