"""`fastdepth doctor` on machines, models and cameras, as they should be and as they should not."""

import json
import os
import shutil
import struct
import sys
import threading
from dataclasses import replace

import pytest
from boards import tx2_jetpack4

from fastdepth_ros.cli import main
from fastdepth_ros.doctor import Question, board, examine, machine, packages, ros
from fastdepth_ros.doctor.model import bundle_and_module
from fastdepth_ros.errors import Level
from fastdepth_ros.runtime.bundle import MANIFEST, Manifest, seal, sha256
from fastdepth_ros.runtime.module import CompiledModule, Description

DOMAIN = 51 + os.getpid() % 50


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """A machine that runs other tests beside may take long over a trial run."""
    monkeypatch.setattr("fastdepth_ros.doctor.model.PATIENCE", 600.0)


@pytest.fixture
def shipped(bundle, module, tmp_path):
    """The random bundle with its module beside it, both free to be damaged."""
    folder = shutil.copytree(bundle.path, tmp_path / "bundle")
    shutil.copytree(module.folder, folder / "modules" / "host")
    seal(folder, bundle.manifest)
    return folder


def sealed_again(folder):
    """The bundle with all that is in its folder now under its seal, as its maker could have done it."""
    file = folder / MANIFEST
    return str(seal(folder, Manifest.from_json(json.loads(file.read_text()), file)).path)


def only(checks, name):
    """The one check of that name."""
    (check,) = [check for check in checks if check.about == name]
    return check


def test_a_machine_that_is_as_it_should_be(shipped):
    checks = list(examine(Question(str(shipped), seconds=0)))
    for name in (
        "operating system",
        "Python",
        "processor",
        "packages",
        "TVM runtime",
        "model",
        "module",
        "trial run",
        "ROS",
    ):
        assert only(checks, name).level is Level.OK, only(checks, name)
    assert "ms a picture" in only(checks, "trial run").cause
    assert only(checks, "precision").cause.startswith("float32: "), "the bundle does not say what int8 loses"
    assert not [check for check in checks if check.level is not Level.OK and not check.remedy]


def test_the_command_tells_scripts_by_json_and_exit_status(shipped, capsys):
    order = ["doctor", "--model", str(shipped), "--wait", "0", "--json"]
    assert main(order) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["ok"]
    assert {check["level"] for check in answer["checks"]} <= {"OK", "WARN"}
    (shipped / "weights.safetensors").write_bytes(b"other")
    assert main(order) == 1
    answer = json.loads(capsys.readouterr().out)
    assert not answer["ok"]
    assert [check["name"] for check in answer["checks"] if check["level"] == "FAIL"] == ["model"]


def test_the_command_shows_the_remedy_on_one_line(shipped, capsys):
    (shipped / "weights.safetensors").unlink()
    assert main(["doctor", "--model", str(shipped), "--wait", "0"]) == 1
    lines = capsys.readouterr().out.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("FAIL"))
    assert str(shipped / "weights.safetensors") in lines[at]
    assert lines[at + 1].strip() == "Copy the bundle again."
    assert lines[-1].endswith("1 FAIL")


def test_a_model_that_is_not_there(tmp_path):
    check = only(examine(Question(str(tmp_path / "nothing"), seconds=0)), "model")
    assert check.level is Level.ERROR
    assert "fastdepth import" in check.remedy


def test_a_module_with_one_flipped_byte(shipped):
    library = shipped / "modules" / "host" / "module.so"
    content = bytearray(library.read_bytes())
    content[len(content) // 2] ^= 1
    library.write_bytes(content)
    check = only(examine(Question(str(shipped), seconds=0)), "model")
    assert check.level is Level.ERROR
    assert "altered" in check.cause
    check = only(bundle_and_module(sealed_again(shipped), "host"), "module")
    assert check.level is Level.ERROR
    assert "altered" in check.cause


@pytest.mark.parametrize(
    ("change", "cause"), [({"needs": ("quantum",)}, "lacks quantum"), ({"tvm": "0.1"}, "made by TVM 0.1")]
)
def test_a_module_for_another_processor_or_tvm(shipped, change, cause):
    folder = shipped / "modules" / "host"
    replace(Description.read(folder / "module.json"), **change).write(folder)
    check = only(bundle_and_module(sealed_again(shipped), "host"), "module")
    assert check.level is Level.ERROR
    assert cause in check.cause


def test_a_module_of_other_weights(shipped):
    folder = shipped / "modules" / "host"
    replace(Description.read(folder / "module.json"), weights_sha256="0" * 64).write(folder)
    assert "other weights" in only(bundle_and_module(sealed_again(shipped), "host"), "module").cause


def test_a_module_that_crashes_takes_only_the_trial_with_it(shipped):
    """Its code is wiped out, and its description says that this is right."""
    folder = shipped / "modules" / "host"
    content = bytearray((folder / "module.so").read_bytes())
    (table,), (count,) = struct.unpack_from("<Q", content, 32), struct.unpack_from("<H", content, 56)
    for i in range(count):
        kind, flags, offset, _, _, size, *_ = struct.unpack_from("<IIQQQQQQ", content, table + 56 * i)
        if kind == 1 and flags & 1:
            content[offset : offset + size] = bytes(size)
    (folder / "module.so").write_bytes(content)
    replace(Description.read(folder / "module.json"), library_sha256=sha256(folder / "module.so")).write(folder)
    assert CompiledModule.open(folder)
    check = only(bundle_and_module(sealed_again(shipped), "host"), "trial run")
    assert check.level is Level.ERROR
    assert "ended its process by SIG" in check.cause


def test_a_module_that_was_not_compiled_yet(bundle):
    check = only(bundle_and_module(str(bundle.path), "x86-64-v3"), "module")
    assert check.level is Level.WARN
    assert "fastdepth compile" in check.remedy


def test_a_tx2_in_the_wrong_mode_is_told_the_command(tmp_path, bundle):
    tree = tx2_jetpack4.build(tmp_path, mode="MAXP_CORE_ARM")
    checks = list(examine(Question(str(bundle.path), seconds=0, root=tree.root)))
    boards = [check for check in checks if check.about == "board"]
    assert "MAXP_CORE_ARM" in boards[0].cause
    assert "sudo nvpmodel -m 0" in " ".join(check.remedy for check in boards if check.level is Level.WARN)
    assert "INA3221" in only(checks, "power meter").cause
    assert "3.4 W" in only(checks, "power meter").cause
    assert "gp10b (target cuda-sm_62); not used" in only(checks, "GPU").cause


def test_little_memory_is_told(tmp_path):
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "meminfo").write_text("MemTotal: 4000000 kB\nMemAvailable:  200000 kB\n")
    (check,) = machine.memory(tmp_path)
    assert (check.level, check.cause) == (Level.WARN, "195 MB free")


def test_an_nvidia_card_is_named(tmp_path):
    card = tmp_path / "proc/driver/nvidia/gpus/0000:01:00.0"
    card.mkdir(parents=True)
    (card / "information").write_text("Model: \t\t NVIDIA Something\nIRQ:   \t\t 1\n")
    checks = examine(Question("none", seconds=0, root=tmp_path))
    assert "NVIDIA Something" in next(check.cause for check in checks if check.about == "GPU")


@pytest.mark.parametrize(
    ("gpu", "said"),
    [
        ("17000000.gp10b", "17000000.gp10b (target cuda-sm_62)"),
        ("17000000.gpu", "17000000.gpu (target cuda-sm_87)"),
        ("fb000000.gpu", "fb000000.gpu;"),
    ],
)
def test_the_gpu_of_a_board_is_named_with_the_target_for_it(tmp_path, gpu, said):
    (tmp_path / "sys/class/devfreq" / gpu).mkdir(parents=True)
    (check,) = board.gpu(tmp_path, "cortex-a57")
    assert said in check.cause


def test_a_module_for_a_gpu_needs_nvidias_driver(tmp_path, monkeypatch):
    monkeypatch.setattr("fastdepth_ros.doctor.board.LIBRARY", "libno-such-driver.so.1")
    (check,) = [
        check for check in examine(Question(target="cuda-sm_62", root=tmp_path, seconds=0)) if check.about == "GPU"
    ]
    assert check.level is Level.ERROR
    assert "NVIDIA's driver is not here" in check.cause
    assert "--target host" in check.remedy


def test_without_ros_everything_else_is_still_looked_at(shipped, monkeypatch):
    monkeypatch.setitem(sys.modules, "rclpy", None)
    checks = list(examine(Question(str(shipped))))
    assert only(checks, "ROS").level is Level.ERROR
    assert "rclpy cannot be imported" in only(checks, "ROS").cause
    assert only(checks, "trial run").level is Level.OK
    assert not {"DDS", "camera"} & {check.about for check in checks}


PROFILE = """<dds xmlns="http://www.eprosima.com"><profiles><transport_descriptors><transport_descriptor>
<transport_id>shm</transport_id><type>SHM</type><segment_size>%s</segment_size>
</transport_descriptor></transport_descriptors></profiles></dds>"""


@pytest.mark.parametrize(
    ("text", "level", "fact"),
    [
        (PROFILE % (16 << 20), Level.OK, "16 MB"),
        (PROFILE % (512 << 10), Level.WARN, "512 KB"),
        ("<dds></dds>", Level.WARN, "0 KB"),
        ("<dds>", Level.ERROR, "cannot be read"),
    ],
    ids=["large enough", "too small", "says nothing", "broken"],
)
def test_a_dds_profile_is_read(tmp_path, monkeypatch, text, level, fact):
    (tmp_path / "dds.xml").write_text(text)
    for variable in ros.PROFILE_VARIABLES:
        monkeypatch.setenv(variable, str(tmp_path / "dds.xml"))
    (check,) = ros.middleware()
    assert check.level is level
    assert fact in check.cause


def test_a_missing_dds_profile_is_told_with_the_variable_that_this_distribution_reads(monkeypatch):
    for variable in ros.PROFILE_VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    for name, variable in (("humble", "FASTRTPS"), ("jazzy", "FASTRTPS"), ("kilted", "FASTDDS")):
        monkeypatch.setenv("ROS_DISTRO", name)
        (check,) = ros.middleware()
        assert check.level is Level.WARN
        assert f"export {variable}_DEFAULT_PROFILES_FILE=" in check.remedy
        assert "config/fastdds.xml" in check.remedy


@pytest.mark.parametrize("name", ["fastdds_port7413", "fastrtps_port7413"])
def test_shared_memory_of_another_user_is_told(tmp_path, monkeypatch, name):
    """Nothing is heard from it, and nothing said to it."""
    monkeypatch.setattr(ros, "SHARED_MEMORY", tmp_path)
    (tmp_path / name).touch()
    (tmp_path / "of_others").touch()
    (check,) = ros.shared_memory()
    assert "1 files of Fast DDS" in check.cause
    assert "user" not in check.cause
    owner = ros.name_of(os.geteuid())
    monkeypatch.setattr(os, "geteuid", lambda: 7654321)
    (check,) = ros.shared_memory()
    assert check.level is Level.WARN
    assert f"of user {owner}, too, and this is 7654321" in check.cause
    assert "as one user" in check.remedy


def test_a_check_that_breaks_is_a_finding(monkeypatch):
    monkeypatch.setattr(machine, "cpu", lambda: 1 / 0)
    check = only(examine(Question("none", seconds=0)), "processor")
    assert check.level is Level.ERROR
    assert "ZeroDivisionError" in check.cause


@pytest.fixture
def loopback(monkeypatch, dds_profile):
    """The environment of a camera in this process."""
    for name, value in dds_profile.items():
        monkeypatch.setenv(name, value)


class Camera:
    """Publishes pictures at 20 Hz in a domain of its own until it is closed."""

    def __init__(self, encoding="rgb8", width=64, info_width=64, silent=False, distortion=()):
        import rclpy
        from rclpy.context import Context
        from rclpy.qos import qos_profile_sensor_data
        from sensor_msgs.msg import CameraInfo, Image

        self.context = Context()
        rclpy.init(args=[], context=self.context, domain_id=DOMAIN)
        self.node = rclpy.create_node("camera", context=self.context)
        self.pictures = self.node.create_publisher(Image, "/front/image_raw", qos_profile_sensor_data)
        self.infos = self.node.create_publisher(CameraInfo, "/front/camera_info", qos_profile_sensor_data)
        self.picture = Image(encoding=encoding, width=width, height=48, step=3 * width, data=bytes(3 * width * 48))
        self.info = CameraInfo(width=info_width, height=48, k=[50.0, 0.0, 31.5, 0.0, 50.0, 23.5, 0.0, 0.0, 1.0])
        self.info.d = list(distortion)
        self.info.distortion_model = "plumb_bob"
        self.info.p = [50.0, 0.0, 31.5, 0.0, 0.0, 50.0, 23.5, 0.0, 0.0, 0.0, 1.0, 0.0]
        self.done, self.silent = threading.Event(), silent
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.done.wait(0.05):
            if not self.silent:
                self.pictures.publish(self.picture)
                self.infos.publish(self.info)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()
        self.node.destroy_node()
        self.context.try_shutdown()


@pytest.fixture
def ask_about_camera(nursery):
    """The doctor's checks of the camera, asked from a process of its own as a user would."""

    def answers(*arguments):
        code = (
            "import sys, json; from fastdepth_ros.commands.doctor import as_json\n"
            "from fastdepth_ros.doctor.camera import camera\n"
            "json.dump([as_json(c) for c in camera(sys.argv[1], sys.argv[2], float(sys.argv[3]))], sys.stdout)"
        )
        environment = {**os.environ, "ROS_DOMAIN_ID": str(DOMAIN)}
        done = nursery.run([sys.executable, "-c", code, *arguments], env=environment, check=True)
        return {check["name"]: check for check in json.loads(done.stdout)}

    return answers


@pytest.mark.usefixtures("loopback")
def test_a_camera_is_found_and_heard(ask_about_camera):
    with Camera():
        checks = ask_about_camera("", "", "1.5")
    assert {check["level"] for check in checks.values()} == {"OK"}, checks
    assert "camera sends best-effort" in checks["camera"]["fact"]
    assert "64x48 rgb8" in checks["pictures"]["fact"]
    assert "fx 50.0" in checks["calibration"]["fact"]


@pytest.mark.usefixtures("loopback")
def test_each_of_several_cameras_is_looked_at_by_its_name(nursery):
    code = (
        "import sys, json; from fastdepth_ros.commands.doctor import as_json\n"
        "from fastdepth_ros.doctor.examination import Question, _camera\n"
        "question = Question(cameras='front,rear', seconds=3.0)\n"
        "json.dump([as_json(check) for check in _camera(question)], sys.stdout)"
    )
    environment = {**os.environ, "ROS_DOMAIN_ID": str(DOMAIN)}
    with Camera():
        done = nursery.run([sys.executable, "-c", code], env=environment, check=True)
    checks = {check["name"]: check for check in json.loads(done.stdout)}
    assert set(checks) == {"front camera", "front pictures", "front calibration", "rear camera"}
    assert "/front/image_raw" in checks["front camera"]["fact"]
    assert checks["front pictures"]["level"] == "OK", checks
    assert (checks["rear camera"]["level"], checks["rear camera"]["fact"]) == (
        "WARN",
        "nobody publishes /rear/image_raw",
    )


def test_names_that_no_camera_can_have_are_told_before_anything_is_looked_at(capsys):
    assert main(["doctor", "--cameras", "front,../x"]) == 2
    assert "no name of a topic" in capsys.readouterr().err


@pytest.mark.usefixtures("loopback")
def test_a_camera_that_sends_what_cannot_be_read(ask_about_camera):
    with Camera(encoding="rgb17", info_width=640):
        checks = ask_about_camera("/front/image_raw", "", "1")
    assert checks["pictures"]["level"] == "FAIL"
    assert "rgb17" in checks["pictures"]["fact"]
    assert checks["calibration"]["level"] == "WARN"
    assert "64x48" in checks["calibration"]["remedy"]


@pytest.mark.usefixtures("loopback")
def test_a_lens_that_distorts_is_told(ask_about_camera):
    with Camera(distortion=(-0.3, 0.1, 0.0, 0.0, 0.0)):
        checks = ask_about_camera("/front/image_raw", "", "0.5")
    assert checks["calibration"]["level"] == "OK"
    assert "rectified from plumb_bob" in checks["calibration"]["fact"]


@pytest.mark.usefixtures("loopback")
def test_a_lens_that_cannot_be_undone_is_told(ask_about_camera):
    with Camera(distortion=(-0.3, 0.1, 0.0)):
        checks = ask_about_camera("/front/image_raw", "", "0.5")
    assert checks["calibration"]["level"] == "WARN"
    assert "D holds 3" in checks["calibration"]["fact"]


@pytest.mark.usefixtures("loopback")
def test_a_camera_that_says_nothing(ask_about_camera):
    with Camera(silent=True):
        checks = ask_about_camera("/front/image_raw", "", "0.5")
    assert checks["pictures"]["level"] == "FAIL"
    assert "none of /front/image_raw arrived" in checks["pictures"]["fact"]
    assert "no camera_info" in checks["calibration"]["fact"]


@pytest.mark.usefixtures("loopback")
def test_no_camera_at_all(ask_about_camera):
    checks = ask_about_camera("/nowhere", "", "0.3")
    assert list(checks) == ["camera"]
    assert checks["camera"]["level"] == "WARN"
    assert "/nowhere" in checks["camera"]["fact"]


def test_a_numpy_that_is_too_old_for_the_runtime_is_told(monkeypatch):
    import numpy

    monkeypatch.setattr(numpy, "__version__", "1.21.5")
    check = only(packages.packages(), "packages")
    assert check.level is Level.ERROR
    assert "NumPy 1.21.5 is too old" in check.cause
    assert "numpy==1.26.4" in check.remedy


def test_an_opencv_that_is_older_than_ubuntu_22_04s_is_told(monkeypatch):
    import cv2

    monkeypatch.setattr(cv2, "__version__", "4.2.0")
    check = only(packages.packages(), "packages")
    assert check.level is Level.ERROR
    assert "OpenCV 4.2.0 is older than 4.5" in check.cause


@pytest.mark.parametrize(("width", "height", "need"), [(3840, 2160, "64 MiB"), (4000, 3000, "128 MiB")])
def test_pictures_that_do_not_fit_into_shared_memory_are_told_the_size_that_they_need(width, height, need):
    from rclpy.serialization import serialize_message
    from sensor_msgs.msg import CameraInfo

    from fastdepth_ros.doctor.camera import _announced, _pictures
    from fastdepth_ros.doctor.graph import Newest
    from fastdepth_ros.messages.serialized import Unpacker

    infos = Newest()
    infos.hear(serialize_message(CameraInfo(width=width, height=height)))
    check = _pictures("/image", Newest(), Unpacker(), 3.0, _announced(infos))
    assert check.level is Level.ERROR
    assert need in check.remedy
    assert "fastdds_large.xml" in check.remedy


def test_pictures_are_not_gathered_while_the_doctor_listens(monkeypatch):
    from rclpy.serialization import serialize_message
    from sensor_msgs.msg import Image

    from fastdepth_ros.doctor import camera

    class Message(bytes):
        living = most = 0

        def __new__(cls, data):
            cls.living += 1
            cls.most = max(cls.most, cls.living)
            return super().__new__(cls, data)

        def __del__(self):
            Message.living -= 1

    class Node:
        def __init__(self):
            self.hearers = {}

        def create_subscription(self, _kind, topic, hear, *_, **__):
            self.hearers[topic] = hear

        def get_publishers_info_by_topic(self, _topic):
            return []

    node = Node()
    picture = serialize_message(Image(width=4, height=2, step=4, encoding="mono8", data=bytes(8)))

    def spin(*_):
        for _ in range(100):
            node.hearers["/front/image_raw"](Message(picture))

    monkeypatch.setattr(camera, "find", lambda *_: [("/front/image_raw", "sensor_msgs/msg/Image")])
    monkeypatch.setattr(camera, "spin", spin)
    checks = list(camera._look(node, None, "", "", 1.0))
    assert "4x2 mono8" in only(checks, "pictures").cause
    assert Message.most <= 3
