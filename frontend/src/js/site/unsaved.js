/** Ask before the page is left while a form holds what has not been saved. */

/** @param {HTMLFormElement} form with `data-unsaved` if it came back from the server with an error */
export function warnIfUnsaved(form) {
  let saving = false;
  form.addEventListener("submit", () => {
    saving = true;
  });
  addEventListener("beforeunload", (event) => {
    if (!saving && ("unsaved" in form.dataset || isChanged(form))) event.preventDefault();
  });
  // The page may come back from the browser's cache after it was saved.
  addEventListener("pageshow", () => {
    saving = false;
  });
}

/** @param {HTMLFormElement} form */
function isChanged(form) {
  return [...form.elements].some((field) =>
    ["radio", "checkbox"].includes(field.type)
      ? field.checked !== field.defaultChecked
      : "defaultValue" in field && field.value !== field.defaultValue,
  );
}
