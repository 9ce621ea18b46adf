"""From a source to a dataset: the importer is chosen, crops are selected, cut and written."""

from __future__ import annotations

from reid_plugins_own_data.importing.choice import Chosen, choose_importer
from reid_plugins_own_data.importing.dataset import Imported, Wishes, import_dataset
from reid_plugins_own_data.importing.selection import Selection

__all__ = ["Chosen", "Imported", "Selection", "Wishes", "choose_importer", "import_dataset"]
