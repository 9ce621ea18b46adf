"""What is wrong with a dataset: files, duplicates, identities, cameras."""

from typing import TYPE_CHECKING

from reidcore._lazy import attach

if TYPE_CHECKING:
    from reid_plugins_inspect.checks.channels import channel_statistics as channel_statistics
    from reid_plugins_inspect.checks.checkup import Report as Report
    from reid_plugins_inspect.checks.checkup import check_up as check_up
    from reid_plugins_inspect.checks.finding import Finding as Finding
    from reid_plugins_inspect.checks.image_stats import Facts as Facts
    from reid_plugins_inspect.checks.inputs import Subject as Subject

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Facts": "reid_plugins_inspect.checks.image_stats:Facts",
        "Finding": "reid_plugins_inspect.checks.finding:Finding",
        "Report": "reid_plugins_inspect.checks.checkup:Report",
        "Subject": "reid_plugins_inspect.checks.inputs:Subject",
        "channel_statistics": "reid_plugins_inspect.checks.channels:channel_statistics",
        "check_up": "reid_plugins_inspect.checks.checkup:check_up",
    },
)
