"""JPEG and PNG files of anybody, looked through before OpenCV decodes them; and video.

decoder      a file -> pixels, or why not
jpeg, png    how large a file's picture is and whether it is whole, without decoding it
filler       bytes that stand where a JPEG's picture was
complaints   what OpenCV's libraries print while they decode, and nowhere else say
video        packets of H.264 and H.265 -> pixels, with PyAV
units        whether a packet can be decoded by itself, without decoding it

Without this a few bytes can cost gigabytes, and a JPEG that lost a third of itself is a picture.
"""
