"use strict";
(() => {
  const tip = document.getElementById("tip");

  // -- charts: the nearest point under the pointer, the next one by an arrow key ---------------
  for (const chart of document.querySelectorAll("svg.chart")) {
    const points = JSON.parse(chart.dataset.points || "[]");
    if (!points.length) continue;
    const cursor = chart.querySelector(".cursor");
    const map = chart.closest(".map");
    let current = -1;

    const hide = () => {
      tip.hidden = true;
      cursor.setAttribute("visibility", "hidden");
      if (map) lift(map, null);
    };
    const show = (place) => {
      current = place;
      const [x, y, text] = points[place];
      cursor.setAttribute("cx", x);
      cursor.setAttribute("cy", y);
      cursor.setAttribute("visibility", "visible");
      tip.replaceChildren(...tile(map, chart, place), document.createTextNode(text));
      tip.hidden = false;
      const at = new DOMPoint(x, y).matrixTransform(chart.getScreenCTM());
      setBeside(at);
      if (map) lift(map, place);
    };
    const nearest = (event) => {
      const at = new DOMPoint(event.clientX, event.clientY)
        .matrixTransform(chart.getScreenCTM().inverse());
      let best = 0, least = Infinity;
      points.forEach(([x, y], place) => {
        const apart = (x - at.x) ** 2 + (y - at.y) ** 2 * (map ? 1 : 0.15);
        if (apart < least) [best, least] = [place, apart];
      });
      return best;
    };
    chart.addEventListener("pointermove", (event) => show(nearest(event)));
    chart.addEventListener("pointerdown", (event) => show(nearest(event)));
    chart.addEventListener("pointerleave", hide);
    chart.addEventListener("blur", hide);
    chart.addEventListener("keydown", (event) => {
      const steps = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 };
      const ends = { Home: 0, End: points.length - 1 };
      if (event.key === "Escape") return hide();
      if (event.key in ends) show(ends[event.key]);
      else if (event.key in steps) {
        const begin = current < 0 && steps[event.key] < 0 ? 0 : current;
        show((begin + steps[event.key] + points.length) % points.length);
      } else return;
      event.preventDefault();
    });
  }

  function setBeside(at) {
    const room = 14, width = tip.offsetWidth, height = tip.offsetHeight;
    const left = at.x + room + width < innerWidth ? at.x + room : at.x - room - width;
    const top = Math.min(Math.max(at.y - height / 2, 4), innerHeight - height - 4);
    tip.style.left = `${Math.max(left, 4)}px`;
    tip.style.top = `${top}px`;
  }

  // -- the map: its pictures come out of one sheet ----------------------------------------------
  function tile(map, chart, place) {
    const sheet = map && map.parentElement.querySelector(".tiles-of-map");
    if (!sheet || !chart.dataset.sheet) return [];
    const [columns, width, height] = chart.dataset.sheet.split(" ").map(Number);
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [width * 2, height * 2];
    const left = (place % columns) * width, top = Math.floor(place / columns) * height;
    canvas.getContext("2d").drawImage(sheet, left, top, width, height, 0, 0, width * 2, height * 2);
    return [canvas];
  }

  function lift(map, place) {
    const group = map.querySelector(".dots"), dots = [...group.children];
    group.classList.toggle("lifted", place !== null);
    const label = map.dataset.label || "0";
    const of = place === null ? null : dots[place].getAttribute(`data-g${label}`);
    for (const dot of dots) dot.classList.toggle("same", dot.getAttribute(`data-g${label}`) === of);
  }

  for (const map of document.querySelectorAll(".map")) {
    map.addEventListener("change", (event) => {
      map.dataset.label = event.target.value;
      for (const dot of map.querySelectorAll(".dots circle")) {
        const group = Number(dot.getAttribute(`data-g${event.target.value}`)) % 8;
        dot.classList.remove(...Array.from({ length: 8 }, (_, number) => `p${number}`));
        dot.classList.add(`p${group}`);
      }
    });
  }

  // -- what is folded is printed too --------------------------------------------------------------
  addEventListener("beforeprint", () => {
    for (const each of document.querySelectorAll("details")) each.open = true;
  });
})();
