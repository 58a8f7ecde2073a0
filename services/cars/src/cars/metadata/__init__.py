"""What a picture's file carries beside its pixels: all of it is taken off but what they need to be shown right.

That is their colours and how they are to be turned. The position and the time of a photograph, its camera, comments,
previews, further pictures and whatever is appended are private or dead weight. Nothing is encoded again.
"""
