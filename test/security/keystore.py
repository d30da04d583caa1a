"""A keystore as sros2 lays it out, made with openssl: sros2's own command is in no wheel.

The layout and the documents are those of DDS-Security 1.1 (9.4.1) and design.ros2.org/articles/ros2_security_enclaves.
"""

from __future__ import annotations

import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

SCHEMA = (
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation='
    '"http://www.omg.org/spec/DDS-SECURITY/20170901/omg_shared_ca_{}.xsd"'
)
GOVERNANCE = f"""<?xml version="1.0" encoding="UTF-8"?>
<dds {SCHEMA.format("governance")}>
  <domain_access_rules><domain_rule>
    <domains><id_range><min>0</min><max>232</max></id_range></domains>
    <allow_unauthenticated_participants>false</allow_unauthenticated_participants>
    <enable_join_access_control>true</enable_join_access_control>
    <discovery_protection_kind>ENCRYPT</discovery_protection_kind>
    <liveliness_protection_kind>ENCRYPT</liveliness_protection_kind>
    <rtps_protection_kind>SIGN</rtps_protection_kind>
    <topic_access_rules><topic_rule>
      <topic_expression>*</topic_expression>
      <enable_discovery_protection>true</enable_discovery_protection>
      <enable_liveliness_protection>true</enable_liveliness_protection>
      <enable_read_access_control>true</enable_read_access_control>
      <enable_write_access_control>true</enable_write_access_control>
      <metadata_protection_kind>ENCRYPT</metadata_protection_kind>
      <data_protection_kind>ENCRYPT</data_protection_kind>
    </topic_rule></topic_access_rules>
  </domain_rule></domain_access_rules>
</dds>
"""
PERMISSIONS = f"""<?xml version="1.0" encoding="UTF-8"?>
<dds {SCHEMA.format("permissions")}>
  <permissions><grant name="{{0}}">
    <subject_name>CN={{0}}</subject_name>
    <validity><not_before>2020-01-01T00:00:00</not_before><not_after>2040-01-01T00:00:00</not_after></validity>
    <allow_rule>
      <domains><id_range><min>0</min><max>232</max></id_range></domains>
      <publish><topics>{{1}}</topics></publish>
      <subscribe><topics>{{2}}</topics></subscribe>
    </allow_rule>
    <default>DENY</default>
  </grant></permissions>
</dds>
"""


class Keystore:
    """A keystore in a folder: one authority, and an enclave for each policy."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._authority = folder / "public" / "ca.cert.pem", folder / "private" / "ca.key.pem"
        for name in ("public", "private", "enclaves"):
            (folder / name).mkdir(parents=True)
        certificate, key = self._authority
        _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
        _openssl(
            "req", "-x509", "-new", "-key", key, "-sha256", "-days", "30", "-subj", "/CN=sros2CA", "-out", certificate
        )
        for name in ("identity_ca", "permissions_ca"):
            shutil.copy(certificate, folder / "public" / f"{name}.cert.pem")
        self._sign(folder / "enclaves" / "governance.xml", GOVERNANCE)

    def environment(self) -> dict[str, str]:
        """The variables that make security a must."""
        return {
            "ROS_SECURITY_KEYSTORE": str(self.folder),
            "ROS_SECURITY_ENABLE": "true",
            "ROS_SECURITY_STRATEGY": "Enforce",
        }

    def add(self, policy: str) -> None:
        """Make the enclaves of an sros2 policy, with keys, and the permissions that it means."""
        for enclave in ET.fromstring(policy.encode()).iter("enclave"):
            path = enclave.get("path", "")
            folder = self.folder / "enclaves" / path.lstrip("/")
            folder.mkdir(parents=True)
            certificate, key = self._authority
            request = folder / "request.pem"
            _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", folder / "key.pem")
            _openssl(
                "req", "-new", "-key", folder / "key.pem", "-subj", "/CN=" + path.replace("/", "\\/"), "-out", request
            )
            signing = ("-CA", certificate, "-CAkey", key, "-CAcreateserial", "-days", "30", "-sha256")
            _openssl("x509", "-req", "-in", request, *signing, "-out", folder / "cert.pem")
            for name in ("identity_ca", "permissions_ca"):
                shutil.copy(self.folder / "public" / f"{name}.cert.pem", folder)
            shutil.copy(self.folder / "enclaves" / "governance.p7s", folder)
            self._sign(folder / "permissions.xml", PERMISSIONS.format(path, *map(_topics, dds_topics(enclave))))

    def _sign(self, file: Path, text: str) -> None:
        file.write_text(text)
        certificate, key = self._authority
        signed = file.with_suffix(".p7s")
        _openssl("smime", "-sign", "-text", "-in", file, "-out", signed, "-signer", certificate, "-inkey", key)


def dds_topics(enclave: ET.Element) -> tuple[list[str], list[str]]:
    """DDS topics that an enclave publishes and subscribes to, as sros2's template derives them."""
    publish, subscribe = ["ros_discovery_info"], ["ros_discovery_info"]
    for profile in enclave.iter("profile"):
        space = profile.get("ns", "/").rstrip("/")

        def named(entry: ET.Element, space: str = space) -> str:
            name = (entry.text or "").strip()
            return name if name.startswith("/") else f"{space}/{name}"

        for group in profile.iter("topics"):
            names = [f"rt{named(entry)}" for entry in group]
            publish += names if group.get("publish") == "ALLOW" else []
            subscribe += names if group.get("subscribe") == "ALLOW" else []
        for group in profile.iter("services"):
            requests = [f"rq{named(entry)}Request" for entry in group]
            replies = [f"rr{named(entry)}Reply" for entry in group]
            if group.get("reply") == "ALLOW":
                publish, subscribe = publish + replies, subscribe + requests
            if group.get("request") == "ALLOW":
                publish, subscribe = publish + requests, subscribe + replies
    return publish, subscribe


def _topics(names: list[str]) -> str:
    return "".join(f"<topic>{name}</topic>" for name in names)


def _openssl(*words: object) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)
