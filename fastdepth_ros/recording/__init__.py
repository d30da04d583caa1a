"""Read, play and write rosbag2 recordings: sqlite3 and MCAP, plain or zstd-compressed, without a ROS installation.

reader    Recording: the topics and messages of a recording
unpack    UnpackedRecording: with raw images for compressed pictures and video; VideoRecording: for video alone
video     topics of video, and their pictures
content   what a topic of images holds: pictures, depth, video
camera    which topics are the camera's image, its camera_info and the true depth
its_camera  what launch asks of them
writer    RecordingWriter: messages into a new MCAP recording
anchors   which topics hold measured depths; placed, in the camera's frame; anchor_file, those of a picture in a file
player    Player: messages onto DDS, each when it is due
"""

from fastdepth_ros.recording.camera import CameraTopics, find_camera
from fastdepth_ros.recording.reader import Message, Recording, Topic
from fastdepth_ros.recording.unpack import UnpackedRecording, VideoRecording
from fastdepth_ros.recording.writer import RecordingWriter

__all__ = [
    "CameraTopics",
    "Message",
    "Recording",
    "RecordingWriter",
    "Topic",
    "UnpackedRecording",
    "VideoRecording",
    "find_camera",
]
