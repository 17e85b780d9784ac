// Shows reports like the one being typed, as soon as enough is known to look for them. The address answers
// with an HTML fragment; `data-fields` names the fields it is asked with.
for (const box of document.querySelectorAll("[data-nearby]")) {
  const form = box.closest("form");
  const names = (box.dataset.fields ?? "place lat lon kind").split(" ");
  let asked = "", timer, request;

  const ask = async () => {
    const typed = new FormData(form);
    const query = new URLSearchParams(names.map(name => [name, typed.get(name) ?? ""]).filter(([, value]) => value));
    if (`${query}` === asked) return;
    asked = `${query}`;
    request?.abort();
    request = new AbortController();
    if (!query.has("place") && !(query.has("lat") && query.has("lon"))) return box.replaceChildren();
    try {
      const answer = await fetch(`${box.dataset.nearby}?${query}`, {
        headers: { Accept: "text/html", "X-Requested-With": "fetch" }, signal: request.signal,
      });
      // A sign-in page is no answer; the hint is only a hint.
      box.innerHTML = answer.ok && !answer.redirected ? await answer.text() : "";
    } catch (failure) {
      if (failure.name !== "AbortError") box.replaceChildren();
    }
  };
  const soon = event => {
    if (!names.includes(event.target.name)) return;
    clearTimeout(timer);
    timer = setTimeout(ask, 500);
  };
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  ask();
}
