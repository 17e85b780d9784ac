// `<div data-shown-when="kind=network,outage">` is shown, and its fields are sent, only while one of these
// choices is made in its form.
for (const form of document.querySelectorAll("form:has([data-shown-when])")) {
  const parts = [...form.querySelectorAll("[data-shown-when]")];
  const follow = () => {
    // From outside in: a field of a hidden part is disabled and counts as not chosen for the parts within.
    for (const part of parts) {
      const [name, codes] = part.dataset.shownWhen.split("=");
      const chosen = new FormData(form).getAll(name);
      part.hidden = !codes.split(",").some(code => chosen.includes(code));
      for (const control of part.querySelectorAll("input, select, textarea, button"))
        control.disabled = Boolean(control.closest("[data-shown-when][hidden]"));
    }
  };
  form.addEventListener("change", follow);
  follow();
}
