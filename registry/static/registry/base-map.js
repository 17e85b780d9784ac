// The ground every map of the register stands on: land and regions from a file of boundaries, names from a file
// of places, in the colours of the style sheet; or the tiles of the origin an installation has configured.
const L = window.L;
const files = new Map();

/** The parsed file, fetched once; null where it cannot be had: a map without it is poorer, not broken. */
function load(url) {
  if (!files.has(url)) files.set(url, fetch(url).then(answer => (answer.ok ? answer.json() : null)).catch(() => null));
  return files.get(url);
}

/** A Leaflet map in `element`, with the ground that `data` (a dataset: world, places, tileUrl) names. */
export function drawMap(element, data, options = {}) {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const map = L.map(element, {
    attributionControl: false, worldCopyJump: true, minZoom: 2, maxZoom: 18,
    zoomAnimation: !still, fadeAnimation: !still, markerZoomAnimation: !still, ...options,
  });
  map.createPane("ground").style.zIndex = 150;
  map.createPane("names").style.zIndex = 450;
  map.getPane("names").style.pointerEvents = "none";
  L.control.attribution({ prefix: false }).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);
  if (data.tileUrl) L.tileLayer(data.tileUrl, { maxZoom: 19 }).addTo(map);
  else ground(map, data);
  // A map in a folded part of the page has no size until it is unfolded.
  new ResizeObserver(() => map.invalidateSize()).observe(element);
  return map;
}

async function ground(map, data) {
  const world = await load(data.world);
  if (world) {
    const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const style = ({ properties: { level } }) => level
      ? { color: colour("--region"), weight: 1, fill: false }
      : { color: colour("--country"), weight: 1.5, fillColor: colour("--land"), fillOpacity: 1 };
    const layer = L.geoJSON(world, { interactive: false, style, attribution: "GeoNames, Natural Earth", renderer: L.canvas({ pane: "ground", padding: 0.3 }) }).addTo(map);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => layer.setStyle(style));
  }
  const places = await load(data.places);
  if (places) names(map, places);
}

/** Names of places (name, lat, lon, rank; the most important first) in view, none upon another. */
function names(map, places) {
  const shown = L.layerGroup().addTo(map);
  const draw = () => {
    shown.clearLayers();
    const view = map.getBounds(), most = Math.max(6, (map.getSize().x * map.getSize().y) / 25_000), taken = [];
    for (const [name, lat, lon] of places) {
      if (taken.length >= most) break;
      if (!view.contains([lat, lon])) continue;
      const { x, y } = map.latLngToContainerPoint([lat, lon]), half = name.length * 4 + 8;
      if (taken.some(other => Math.abs(other.x - x) < other.half + half && Math.abs(other.y - y) < 26)) continue;
      taken.push({ x, y, half });
      const icon = L.divIcon({ className: "map-name", html: Object.assign(document.createElement("span"), { textContent: name }), iconSize: [half * 2, 18], iconAnchor: [half, -4] });
      L.marker([lat, lon], { icon, pane: "names", interactive: false, keyboard: false }).addTo(shown);
    }
  };
  map.on("moveend", draw);
  draw();
}

/** A round marker of a damage level. */
export function pin(level, size = 20, words = "") {
  const html = document.createElement("span");
  html.textContent = words;
  return L.divIcon({ className: `${words ? "cluster" : "pin"} level-${level}`, html, iconSize: [size, size] });
}
