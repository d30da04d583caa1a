# ROS 2 Jazzy with this package built in /ws. Unverified: it was written to the steps of docs/install.md, and never built.
#
#   docker build --tag fastdepth_ros .
#   docker run --rm --network host --ipc host fastdepth_ros ros2 launch fastdepth_ros depth.launch.py image:=/camera/image_rect
FROM ros:jazzy-ros-base AS dev
WORKDIR /ws
COPY package.xml src/fastdepth_ros/
COPY requirements src/fastdepth_ros/requirements
# rosdep's packages first: pip then finds that NumPy, matplotlib and the like are there.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends make python3-pip python3-venv \
    && rosdep update --rosdistro jazzy \
    && rosdep install --from-paths src --ignore-src --rosdistro jazzy --default-yes \
    && rm -rf /var/lib/apt/lists/*
# Ubuntu's typing_extensions is too old for TVM, and pip replaces nothing that apt has installed unless told to leave it alone.
RUN pip install --no-cache-dir --break-system-packages --ignore-installed typing-extensions \
    && pip install --no-cache-dir --break-system-packages --requirement src/fastdepth_ros/requirements/run-system.txt

FROM dev
COPY . src/fastdepth_ros
RUN . /opt/ros/jazzy/setup.sh && colcon build --packages-select fastdepth_ros
# A process without it has 512 KiB of shared memory: too little for most pictures.
ENV FASTRTPS_DEFAULT_PROFILES_FILE=/ws/install/fastdepth_ros/share/fastdepth_ros/config/fastdds.xml
RUN sed --in-place '$i source /ws/install/setup.bash --' /ros_entrypoint.sh
CMD ["ros2", "run", "fastdepth_ros", "depth_node"]
