"""sensor_msgs to numpy and back: pictures and camera matrices in; depth, camera_info and clouds out."""
