// Keys of a form: what bears `data-key` is chosen by that key; with `data-at-once` the form is sent too. Not while
// somebody types, and not after they were switched off, for speech may be heard as keys.
const form = document.querySelector("form[data-keys]");
const told = form.querySelector("[data-keys-told]"), on = form.querySelector("[data-keys-on]");
told.hidden = false;
on.checked = localStorage.getItem("keys") !== "off";
on.addEventListener("change", () => localStorage.setItem("keys", on.checked ? "on" : "off"));

document.addEventListener("keydown", event => {
  if (!on.checked || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.closest("input:not([type=radio], [type=checkbox]), textarea, select")) return;
  if (event.key === "Enter" && event.target === document.body) return form.requestSubmit();
  const one = form.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (!one) return;
  event.preventDefault();
  if (one.matches("a")) return one.click();
  const choice = one.closest("label").control;
  choice.checked = true;
  choice.dispatchEvent(new Event("change", { bubbles: true }));
  if ("atOnce" in one.dataset) form.requestSubmit();
  else choice.focus();
});
