// The map page: groups of reports from the server, tile by tile, on the ground of base-map.js; beside it the
// server's list of what is in view.
import { drawMap, pin } from "./base-map.js";

const L = window.L;
const TILE = 512;
const root = document.querySelector("[data-map]");
const canvas = root.querySelector(".map-canvas"), list = root.querySelector(".map-list");
const status = root.querySelector("[data-status]"), count = root.querySelector("[data-count]");
const inView = count.textContent;
const tiles = new Map();
let turn = 0, asking = new AbortController();

root.hidden = false;
for (const stead of document.querySelectorAll("[data-without-map]")) stead.hidden = true;
const map = drawMap(canvas, root.dataset);
const drawn = L.layerGroup().addTo(map);
startView();
map.on("moveend", show);
show();

/** Where the reader was, else what the page names, else the world. */
function startView() {
  const [zoom, lat, lon] = location.hash.slice(1).split("/").map(Number);
  const [south, west, north, east] = root.dataset.bounds.split(",").map(Number);
  if (Number.isFinite(zoom + lat + lon)) map.setView([lat, lon], zoom);
  else if (Number.isFinite(south + west + north + east)) map.fitBounds([[south, west], [north, east]]);
  else map.setView([30, 20], 2);
}

/** Addresses of the tiles that cover the view. */
function wanted() {
  const zoom = map.getZoom(), z = Math.max(0, zoom - Math.log2(TILE / 256)), across = 2 ** z;
  const view = map.getPixelBounds(), found = new Set();
  for (let x = Math.floor(view.min.x / TILE); x <= Math.floor(view.max.x / TILE); x++)
    for (let y = Math.max(0, Math.floor(view.min.y / TILE)); y <= Math.min(across - 1, Math.floor(view.max.y / TILE)); y++)
      found.add(`${z}/${((x % across) + across) % across}/${y}`);
  return [...found];
}

async function tile(address, signal) {
  if (!tiles.has(address)) {
    const answer = await fetch(`${root.dataset.tiles}${address}.json?${root.dataset.query}`, { signal });
    if (!answer.ok) throw new Error(answer.status);
    if (tiles.size > 200) tiles.clear();
    tiles.set(address, await answer.json());
  }
  return tiles.get(address);
}

async function show() {
  const mine = ++turn, { lat, lng } = map.getCenter();
  history.replaceState(null, "", `#${map.getZoom()}/${lat.toFixed(4)}/${lng.toFixed(4)}`);
  asking.abort();
  asking = new AbortController();
  const answers = await Promise.allSettled(wanted().map(address => tile(address, asking.signal)));
  if (mine !== turn) return;
  const got = answers.filter(answer => answer.status === "fulfilled").map(answer => answer.value);
  const view = map.getBounds(), here = ({ lat, lon }) => view.contains(near(lat, lon));
  const clusters = got.flatMap(answer => answer.clusters ?? []).filter(here).sort((one, other) => other.n - one.n);
  const points = got.flatMap(answer => answer.points ?? []).filter(here);

  // The marker that was opened by keyboard goes away: the map itself holds the focus then.
  if (canvas.contains(document.activeElement)) canvas.focus();
  drawn.clearLayers();
  clusters.forEach(drawCluster);
  points.forEach(drawPoint);
  const total = points.length + clusters.reduce((sum, cluster) => sum + cluster.n, 0);
  count.textContent = `${inView}: ${total.toLocaleString(document.documentElement.lang)}`;
  if (answers.length > got.length) status.textContent = status.dataset.failed;
  else if (got.some(answer => answer.partial)) status.textContent = status.dataset.partial;
  else status.textContent = total ? "" : status.dataset.none;
  tell(mine);
}

/** The copy of a place that is nearest to the middle of the view, east or west of the date line. */
function near(lat, lon) {
  return [lat, lon + 360 * Math.round((map.getCenter().lng - lon) / 360)];
}

const words = level => root.querySelector(`.legend .level-${level}`)?.parentElement.textContent.trim() ?? level;
const figure = n => n.toLocaleString(document.documentElement.lang);
const closer = ({ lat, lon }) => map.setView(near(lat, lon), Math.min(18, map.getZoom() + 2));

/** Draws a marker that a click, Enter and the space bar open; its element. */
function opened(marker, open) {
  marker.on("click", open).addTo(drawn);
  marker.on("keydown", ({ originalEvent: key }) => {
    if (key.key !== "Enter" && key.key !== " ") return;
    key.preventDefault();
    open();
  });
  return marker.getElement();
}

function drawCluster(cluster) {
  const size = cluster.n < 10 ? 32 : cluster.n < 100 ? 38 : cluster.n < 1000 ? 46 : 56;
  const marker = L.marker(near(cluster.lat, cluster.lon), { icon: pin(cluster.level, size, figure(cluster.n)) });
  opened(marker, () => closer(cluster)).setAttribute("aria-label", `${root.dataset.group} ${words(cluster.level)}: ${figure(cluster.n)}`);
}

function drawPoint(point) {
  const marker = L.marker(near(point.lat, point.lon), { icon: pin(point.level) });
  const element = opened(marker, () => (location.href = root.dataset.report + point.reference + root.dataset.reportQuery));
  element.setAttribute("aria-label", `${point.title}, ${words(point.level)}`);
  marker.bindTooltip(point.title);
  // How far the place may be off, while it is looked at.
  if (point.radius_m > 50) {
    const circle = L.circle(near(point.lat, point.lon), { radius: point.radius_m, className: "radius", interactive: false });
    for (const enter of ["mouseenter", "focus"]) element.addEventListener(enter, () => circle.addTo(drawn));
    for (const leave of ["mouseleave", "blur"]) element.addEventListener(leave, () => circle.remove());
  }
}

/** The rows of the view as the server lists them, with a link that brings more. */
async function tell(mine) {
  const query = new URLSearchParams(root.dataset.query), view = map.getBounds();
  const lons = view.getEast() - view.getWest() < 360 ? [view.getWest(), view.getEast()].map(wrapped) : [-180, 180];
  const lats = [view.getSouth(), view.getNorth()].map(lat => Math.max(-90, Math.min(90, lat)));
  if (!query.has("bbox")) query.set("bbox", [lons[0], lats[0], lons[1], lats[1]].map(degrees => degrees.toFixed(5)));
  const rows = await fragment(`${root.dataset.list}?${query}`);
  if (mine === turn) list.replaceChildren(rows);
}

list.addEventListener("click", async event => {
  const more = event.target.closest("[data-more]");
  if (!more) return;
  event.preventDefault();
  const rows = await fragment(more.dataset.more), first = rows.querySelector("a");
  more.closest("li").replaceWith(rows);
  first?.focus();
});

async function fragment(address) {
  const piece = document.createElement("template");
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    if (answer.ok && !answer.redirected) piece.innerHTML = await answer.text();
  } catch {
    status.textContent = status.dataset.failed;
  }
  return piece.content;
}

function wrapped(lon) {
  return L.Util.wrapNum(lon, [-180, 180], true);
}
