"""What is wrong with a dataset: files, duplicates, identities, cameras."""

from typing import TYPE_CHECKING

from reidcore.lazy import attach

if TYPE_CHECKING:
    from reidcore.data.doctor.channels import channel_statistics as channel_statistics
    from reidcore.data.doctor.checkup import Report as Report
    from reidcore.data.doctor.checkup import check_up as check_up
    from reidcore.data.doctor.finding import Finding as Finding
    from reidcore.data.doctor.subject import Subject as Subject

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Finding": "reidcore.data.doctor.finding:Finding",
        "Report": "reidcore.data.doctor.checkup:Report",
        "Subject": "reidcore.data.doctor.subject:Subject",
        "channel_statistics": "reidcore.data.doctor.channels:channel_statistics",
        "check_up": "reidcore.data.doctor.checkup:check_up",
    },
)
