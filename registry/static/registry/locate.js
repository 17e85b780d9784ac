// Sets the pin of a form: from the device, by a click, by dragging, or from the middle of the map. The two
// coordinate fields stay the truth: typing into them moves the pin. Candidates of the form (`data-candidate` around
// a choice) stand on the map by their numbers, and the pin is the choice "point".
import { drawMap, pin } from "./base-map.js";

const L = window.L;
for (const box of document.querySelectorAll("[data-locate]")) {
  const lat = document.getElementById(box.dataset.lat), lon = document.getElementById(box.dataset.lon);
  const said = box.querySelector("[role=status]");
  box.hidden = false;
  const map = drawMap(box.querySelector(".small-map"), box.dataset, { scrollWheelZoom: false });
  const from = box.dataset.from?.split(" ");
  map.setView(from ?? [30, 20], from ? 7 : 2);
  const marker = L.marker([0, 0], { icon: pin("destroyed", 24), draggable: true, keyboard: false });

  // Without streets on it, more of the ground must be seen to know where it is.
  const near = box.dataset.tileUrl ? 16 : 10;

  const put = (point, zoom = map.getZoom()) => {
    lat.value = point.lat.toFixed(5);
    lon.value = L.Util.wrapNum(point.lng, [-180, 180], true).toFixed(5);
    map.setView(point, zoom);
    for (const field of [lat, lon]) field.dispatchEvent(new Event("change", { bubbles: true }));
    said.textContent = said.dataset.set;
    choose(box.closest("form")?.querySelector("[name=choice][value=point]"));
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

  const shapes = [...(box.closest("form")?.querySelectorAll("[data-candidate]") ?? [])].map((one, number) => {
    const { lat, lon, radius } = one.dataset, choice = one.querySelector("input");
    const circle = L.circle([lat, lon], { radius: Number(radius), className: "radius", interactive: false });
    const words = one.querySelector("label").innerText;
    const marker = L.marker([lat, lon], { icon: pin("unknown", 28, String(number + 1)), title: words, alt: words, keyboard: false });
    marker.addTo(map).on("click", () => choose(choice));
    const follow = () => (choice.checked ? circle.addTo(map) : circle.remove());
    box.closest("form").addEventListener("change", follow);
    follow();
    return marker;
  });
  if (shapes.length) map.fitBounds(L.featureGroup(shapes).getBounds().pad(0.3), { maxZoom: near });
}

function choose(choice) {
  if (!choice || choice.checked) return;
  choice.checked = true;
  choice.dispatchEvent(new Event("change", { bubbles: true }));
}
