"""Provisioning sets the limits that the doctor checks."""

import re
from pathlib import Path

from testbed.doctor.limits import LIMITS

PROVISION = Path(__file__).parents[2] / "bin" / "provision"


def test_provisioning_raises_every_limit_that_the_doctor_checks() -> None:
    raised = {
        key: int(least) for key, least in re.findall(r"^ +([a-z_0-9.-]+) (\d+)$", PROVISION.read_text(), re.MULTILINE)
    }
    assert raised.items() >= {(limit.sysctl, limit.wanted) for limit in LIMITS}
