// A report's place: its point, and a circle as wide as the place is uncertain.
import { drawMap, pin } from "./base-map.js";

const L = window.L;
for (const element of document.querySelectorAll("[data-small-map]")) {
  const { lat, lon, radius, level } = element.dataset;
  element.hidden = false;
  const map = drawMap(element, element.dataset, { scrollWheelZoom: false });
  const point = L.latLng(lat, lon);
  // Without streets on it, more of the ground must be seen to know where it is.
  map.fitBounds(point.toBounds(Math.max(element.dataset.tileUrl ? 2000 : 40_000, radius * 8)));
  if (Number(radius)) L.circle(point, { radius: Number(radius), className: "radius", interactive: false }).addTo(map);
  L.marker(point, { icon: pin(level), interactive: false, keyboard: false }).addTo(map);
}
