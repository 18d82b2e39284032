// Shows what htmx loads into the page's dialog, and empties it when it closes. The browser itself keeps the focus inside
// and gives it back to the opener.

const FIELDS = "input:not([type='hidden']), select, textarea";
const dialog = document.getElementById("dialog");

function focusWhereToWrite() {
  const field = dialog.querySelector("[aria-invalid='true'], [autofocus]") ?? dialog.querySelector(FIELDS);
  field?.focus();
}

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target !== dialog) return;
  if (!dialog.hasChildNodes()) return dialog.close();
  if (!dialog.open) dialog.showModal();
  focusWhereToWrite();
});

dialog.addEventListener("close", () => dialog.replaceChildren());

dialog.addEventListener("click", (event) => {
  const closer = event.target.closest("[data-close], .dialog-actions a");
  if (!closer) return;
  event.preventDefault();
  dialog.close();
});
