"""What the machinery keeps in which database; features add chains of their own (`feature.Feature.migrations`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiwebengine.services.db.chain import DatabaseName, MigrationChain
from aiwebengine.services.db.migrations.logs import LOGS
from aiwebengine.services.db.migrations.script_files import SCRIPT_FILES
from aiwebengine.services.db.migrations.scripts import SCRIPTS
from aiwebengine.services.db.migrations.units import OWN_UNITS, UNITS

MACHINERY_CHAINS: Mapping[DatabaseName, Sequence[MigrationChain]] = {
    "main": (SCRIPTS, UNITS, SCRIPT_FILES),
    "evidence": (LOGS,),
    "script": (OWN_UNITS,),
}
