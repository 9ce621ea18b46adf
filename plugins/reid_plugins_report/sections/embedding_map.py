"""The map of the embeddings: images that the model finds alike are near one another."""

from __future__ import annotations

import numpy as np

from reid_plugins_report.charts import Dot, scatter_chart
from reid_plugins_report.evidence import Embeddings
from reid_plugins_report.evidence.parts import Ints, Texts
from reid_plugins_report.page import Section, figure, tag
from reid_plugins_report.projections import choose_projection
from reid_plugins_report.report import Report, ReportedTarget

TITLE = "Map of the embeddings"


def map_section(report: Report, target: ReportedTarget) -> Section | None:
    """Return the section of a target's map."""
    embeddings = target.evidence.part(Embeddings) if target.evidence else None
    if embeddings is None:
        return None
    projection = choose_projection(report.projection)
    places = projection.places(embeddings.features)
    address, columns, (width, height) = report.pictures.sheet(embeddings.path.tolist())
    identities, cameras = _numbered(embeddings.pid), _numbered(embeddings.camid)
    dots = [
        Dot(
            float(x),
            float(y),
            (int(identity), int(camera)),
            f"identity {pid}\ncamera {camid}, {'query' if is_query else 'gallery'}",
            is_hollow=bool(is_query),
        )
        for (x, y), identity, camera, pid, camid, is_query in zip(
            places,
            identities,
            cameras,
            embeddings.pid,
            embeddings.camid,
            embeddings.is_query,
            strict=True,
        )
    ]
    people, images = len(np.unique(embeddings.pid)), len(dots)
    summary = f"{projection.name} of {images:,} images of {people:,} identities"
    sheet = f"{columns} {width} {height}"
    chart = scatter_chart(
        dots, ["identity", "camera"], summary, f"colour-{target.name}", data_sheet=sheet
    )
    tiles = tag("img", src=address, alt="", hidden=True, class_="tiles-of-map") if address else None
    note = (
        f"{summary}. Rings are queries. Colours repeat: the identity under the pointer is lifted."
        f" The first two principal components keep {100 * float(embeddings.explained):.0f} %"
        " of the variance."
    )
    return Section(TITLE, figure(projection.name, [chart, tiles], note, is_wide=True), 90)


def _numbered(texts: Texts) -> Ints:
    numbers: Ints = np.unique(texts, return_inverse=True)[1].astype(np.int64)
    return numbers
