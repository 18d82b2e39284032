// Shows what htmx loads into the page's dialog, and empties it when it closes. The browser itself keeps the focus inside
// and gives it back to the opener.

const dialog = document.getElementById("dialog");

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target !== dialog) return;
  const isEmpty = !dialog.hasChildNodes();
  if (isEmpty) dialog.close();
  else if (!dialog.open) dialog.showModal();
  else focusFirstMistake();
});

dialog.addEventListener("close", () => dialog.replaceChildren());

dialog.addEventListener("click", (event) => {
  const closer = event.target.closest("[data-close], .dialog-actions a");
  if (!closer) return;
  event.preventDefault();
  dialog.close();
});

function focusFirstMistake() {
  dialog.querySelector("[aria-invalid='true']")?.focus();
}
