// Keeps what is typed into `<form data-draft="name">` in this browser, for this person, until it is sent:
// a reload or a sign-in that ran out loses nothing. Files, passwords and hidden fields are never kept.
const WEEK = 7 * 24 * 3600 * 1000;
const NOT_KEPT = ["hidden", "password", "file"];
const TICKED = ["radio", "checkbox"];
const place = name => `draft:${document.body.dataset.person}:${name}`;

for (const done of document.querySelectorAll("[data-draft-done]"))
  for (const name of done.dataset.draftDone.split(/\s+/)) localStorage.removeItem(place(name));

for (const form of document.querySelectorAll("form[data-draft]")) keep(form, place(form.dataset.draft));

function keep(form, key) {
  const given = read(form);
  const save = () => {
    try {
      localStorage.setItem(key, JSON.stringify({ at: Date.now(), values: read(form) }));
    } catch {
      // No room, or storage switched off: the form works as without script.
    }
  };
  const draft = stored(key);
  // A form that comes back with errors already holds what was typed last.
  if (form.querySelector(".wrong") || document.querySelector(".error-summary")) save();
  else if (draft && JSON.stringify(draft) !== JSON.stringify(given)) {
    write(form, draft);
    offer(form, () => {
      localStorage.removeItem(key);
      write(form, given);
    });
  }
  form.addEventListener("input", save);
  form.addEventListener("change", save);
}

function stored(key) {
  try {
    const draft = JSON.parse(localStorage.getItem(key));
    if (draft && Date.now() - draft.at < WEEK) return draft.values;
    localStorage.removeItem(key);
  } catch {
    return null;
  }
  return null;
}

function offer(form, discard) {
  const notice = document.getElementById("draft-notice").content.cloneNode(true).firstElementChild;
  notice.querySelector("button").addEventListener("click", () => {
    notice.remove();
    discard();
  });
  form.prepend(notice);
}

function controls(form) {
  // Not `form.elements`: a field may bear that name.
  return [...form.querySelectorAll("input, select, textarea")].filter(control => control.name && !NOT_KEPT.includes(control.type));
}

function read(form) {
  const values = {};
  for (const control of controls(form)) {
    const list = (values[control.name] ??= []);
    if (TICKED.includes(control.type)) control.checked && list.push(control.value);
    else if (control.multiple) list.push(...[...control.selectedOptions].map(option => option.value));
    else list.push(control.value);
  }
  return values;
}

function write(form, values) {
  const left = structuredClone(values);
  for (const control of controls(form)) {
    const list = left[control.name];
    if (!list) continue;
    if (TICKED.includes(control.type)) control.checked = list.includes(control.value);
    else if (control.multiple) for (const option of control.options) option.selected = list.includes(option.value);
    else control.value = list.shift() ?? control.value;
    // What depends on a field (shown parts, the pin, reports nearby) follows it.
    control.dispatchEvent(new Event("change", { bubbles: true }));
  }
}
