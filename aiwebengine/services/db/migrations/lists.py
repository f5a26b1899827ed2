"""What lies in which of the engine's databases."""

from __future__ import annotations

from aiwebengine.services.db.migrations.assets import ASSETS
from aiwebengine.services.db.migrations.budgets import BUDGETS
from aiwebengine.services.db.migrations.idempotency import IDEMPOTENCY
from aiwebengine.services.db.migrations.logs import LOGS
from aiwebengine.services.db.migrations.receipts import RECEIPTS
from aiwebengine.services.db.migrations.recordings import RECORDINGS
from aiwebengine.services.db.migrations.script_files import SCRIPT_FILES
from aiwebengine.services.db.migrations.scripts import SCRIPTS
from aiwebengine.services.db.migrations.storage import STORAGE
from aiwebengine.services.db.migrations.units import UNITS

MAIN_CHAINS = (SCRIPTS, ASSETS, UNITS, STORAGE, IDEMPOTENCY, SCRIPT_FILES)
"""What must survive."""

EVIDENCE_CHAINS = (LOGS, RECEIPTS, BUDGETS, RECORDINGS)
"""What happened."""

SCRIPT_CHAINS = (UNITS, STORAGE, IDEMPOTENCY)
"""What one script has written, in a file of its own."""
