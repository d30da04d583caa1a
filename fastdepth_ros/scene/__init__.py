"""A small furnished room that is computed: pictures and exact depth where no recording is at hand.

shapes      what a ray can hit, and the camera that sends it
textures    procedural paints
builder     puts painted shapes into a scene
furniture   tables, chairs, shelves, lamps
room        the room
light       window, lamps, sun and dim corners, worked out once
path        the camera's way
render      pictures and depth
record      all of it as a rosbag2 recording
"""
