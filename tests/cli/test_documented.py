"""Files that documents show are taken as they stand there."""

from __future__ import annotations

import re
import shutil

from tests.cli.conftest import ROOT, Shell


def test_the_yaml_of_every_way_to_sign_in_is_a_valid_blueprint(vpngw: Shell) -> None:
    page = (ROOT / "docs" / "how-to" / "point-to-site.md").read_text(encoding="utf-8")
    shown = re.search(r"<!-- p2s-yaml -->\n```yaml\n(.*?)```", page, re.DOTALL)
    assert shown is not None
    shutil.copytree(ROOT / "blueprints" / "certificates", vpngw.directory / "certificates")
    vpngw.write("remote.yaml", shown[1])

    assert "valid" in vpngw("validate", "remote.yaml", code=0).out
    (types,) = [
        operation["body"]["properties"]["vpnClientConfiguration"]["vpnAuthenticationTypes"]
        for operation in vpngw("compile", "remote.yaml", "--json", code=0).document["operations"]
        if operation["address"] == "VpnGateway/vgw-remote"
    ]
    assert sorted(types) == ["AAD", "Certificate", "Radius"]
