"""Random furnished rooms, photographed by random cameras: pictures with exact depth to train on, as many as one likes.

kinds       living rooms, halls, white chairs in the sun, desks from near, racks, corridors, stairs, kitchens, glass
model       solids out of rectangles, round bars and ellipsoids, each piece in a frame of its own
surfaces    what solids are made of: colour, texture, gloss
cast        which solid every ray of a view meets first
patterns    more textures: floors, cloths, screens, books
style       the taste of a room: which woods, cloths and colours go together
chairs      what people sit on
tables      tables, desks, beds
cupboards   shelves, cupboards, doors, radiators, curtains, pictures
things      lamps, plants, and what lies about
shell       floor, ceiling, walls, windows
plan        a room while it is furnished: where there is place
warehouse   pallet racks and what lies on them
corridor    doors, and what hangs between them
stairs      a flight up to a gallery
kitchen     fitted cupboards, and what is built into them
glazing     mirrors and panes
layout      a random room: furniture that does not collide
cameras     where somebody might stand in it
render      what reaches such a camera, and how far away it is
optics      what is seen in mirrors and through panes
lighting    which lights a room has
light       shadow maps, and the light that a point sends to the camera
photo       a picture as a camera takes it: exposure, lens, noise
writer      NAME.jpg, NAME.depth.png, NAME.json

The demo's room (`fastdepth_ros.scene.room`) is rendered by modules of its own, which bake its light once for a whole
film; here a picture has to cost a quarter of a second with its room.
"""
