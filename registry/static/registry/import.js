// A file that is too large is said before it is sent.
for (const input of document.querySelectorAll("input[type=file][data-most]")) {
  input.addEventListener("change", () => {
    const large = [...input.files].some(file => file.size > Number(input.dataset.most));
    input.setCustomValidity(large ? "-" : "");
    const said = document.getElementById(`${input.id}_large`);
    if (said) said.hidden = !large;
  });
  input.form.addEventListener("submit", event => { if (!input.validity.valid) event.preventDefault(); });
}

// How far the work is, looked at again and again; when it has come to something else, so does the page.
const live = document.querySelector("[data-live]");
if (live) {
  document.querySelectorAll("[data-without-live]").forEach(part => { part.hidden = true; });
  const look = async () => {
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (answer.redirected || !answer.ok) return location.reload();
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const now = page.querySelector("[data-live]");
      if (now?.dataset.live !== live.dataset.live) return location.reload();
      live.replaceChildren(...now.childNodes);
    } catch { /* The line is down: look again later. */ }
    setTimeout(look, 2000);
  };
  setTimeout(look, 1000);
}
