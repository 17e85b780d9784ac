// Sets the pin of a form: from the device, by a click, by dragging, or from the middle of the map. The two
// coordinate fields stay the truth: typing into them moves the pin.
import { drawMap, pin } from "./base-map.js";

const L = window.L;
for (const box of document.querySelectorAll("[data-locate]")) {
  const lat = document.getElementById(box.dataset.lat), lon = document.getElementById(box.dataset.lon);
  const said = box.querySelector("[role=status]");
  box.hidden = false;
  const map = drawMap(box.querySelector(".small-map"), box.dataset, { scrollWheelZoom: false }).setView([30, 20], 2);
  const marker = L.marker([0, 0], { icon: pin("destroyed", 24), draggable: true, keyboard: false });

  // Without streets on it, more of the ground must be seen to know where it is.
  const near = box.dataset.tileUrl ? 16 : 10;

  const put = (point, zoom = map.getZoom()) => {
    lat.value = point.lat.toFixed(5);
    lon.value = L.Util.wrapNum(point.lng, [-180, 180], true).toFixed(5);
    map.setView(point, zoom);
    for (const field of [lat, lon]) field.dispatchEvent(new Event("change", { bubbles: true }));
    said.textContent = said.dataset.set;
  };
  const follow = () => {
    const point = [lat.value, lon.value].map(text => (text.trim() ? Number(text.replace(",", ".")) : NaN));
    if (point.some(Number.isNaN) || Math.abs(point[0]) > 90 || Math.abs(point[1]) > 180) return marker.remove();
    marker.setLatLng(point).addTo(map);
    if (!map.getBounds().contains(point) || map.getZoom() < 7) map.setView(point, near);
  };
  lat.addEventListener("change", follow);
  lon.addEventListener("change", follow);
  map.on("click", event => put(event.latlng));
  marker.on("dragend", () => put(marker.getLatLng()));
  box.querySelector("[data-centre]").addEventListener("click", () => put(map.getCenter()));
  box.querySelector("[data-clear]").addEventListener("click", () => {
    lat.value = lon.value = "";
    lon.dispatchEvent(new Event("change", { bubbles: true }));
    said.textContent = said.dataset.cleared;
  });
  const here = box.querySelector("[data-here]");
  here.addEventListener("click", () =>
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => put(L.latLng(coords.latitude, coords.longitude), near),
      () => (said.textContent = said.dataset.refused),
      { enableHighAccuracy: true, timeout: 15_000 },
    ));
  here.hidden = !navigator.geolocation;
  follow();
}
